// Keeps the progress of a run fresh and says aloud each system, not each row. When the run is over, the page is loaded
// again: the server alone knows what it then says. Without script the page loads itself every few seconds.

const box = document.querySelector("[data-live]");
if (box) {
  const bar = box.querySelector("progress");
  const words = box.querySelector("label");
  const aloud = box.querySelector("[role=status]");
  let spoken = "";

  const show = (s) => {
    words.textContent = s.words;
    if (s.total > 0) {
      bar.max = s.total;
      bar.value = Math.min(s.done, s.total);
    } else {
      bar.removeAttribute("value");
    }
    if (s.speaks !== spoken) aloud.textContent = spoken = s.speaks;
  };

  const ask = async (wait) => {
    try {
      const answer = await fetch(box.dataset.live, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const s = await answer.json();
      if (s.state !== "running") return location.reload();
      show(s);
      wait = 700;
    } catch {
      words.textContent = "Ombud does not answer; trying again";
      wait = Math.min(wait * 2, 10000);
    }
    setTimeout(ask, wait, wait);
  };
  ask(700);
}
