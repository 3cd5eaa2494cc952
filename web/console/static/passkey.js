// Lets a device answer for the person before it: a form with data-passkey holds the question, and gets the answer.
// Without script, or where a device cannot, the form stays hidden and the other ways are there.

const can = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON && PublicKeyCredential.parseCreationOptionsFromJSON;

const ask = (form) => {
  const question = JSON.parse(form.dataset.question);
  return form.dataset.passkey === "create"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question) });
};

for (const form of can ? document.querySelectorAll("form[data-passkey]") : []) {
  form.closest("[hidden]")?.removeAttribute("hidden");
  document.querySelectorAll("[data-passkey-none]").forEach((n) => n.setAttribute("hidden", ""));
  form.addEventListener("submit", async (e) => {
    if (form.elements.answer.value) return;
    e.preventDefault();
    const said = form.querySelector("[role=status]");
    said.textContent = "Your device asks you now.";
    try {
      form.elements.answer.value = JSON.stringify((await ask(form)).toJSON());
      form.submit();
    } catch {
      said.textContent = "The device did not answer. Try again, or take another way.";
    }
  });
}
