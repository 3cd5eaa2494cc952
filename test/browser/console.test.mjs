// Every page in every state, at three widths, light, dark and in forced colours: axe finds nothing, nothing is logged,
// nothing scrolls sideways. Then what a person does: approve without a mouse, and all of it without script.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";
import { browser, company, enter, reloadWhile, routes, themes, widths } from "./company.mjs";

let c, b;
before(async () => {
  c = await company();
  b = await browser();
});
after(async () => {
  await b?.close();
  await c?.stop();
});

// open gives a page that remembers everything the browser complains of.
const open = async (options = {}) => {
  const context = await b.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (m) => { if (["error", "warning"].includes(m.type()) && !/status of 40[34]/.test(m.text())) complaints.push(m.text()); });
  page.on("pageerror", (e) => complaints.push(String(e)));
  // A page that is left gives up what it still loads; that is no complaint.
  page.on("requestfailed", (r) => r.failure()?.errorText !== "net::ERR_ABORTED" && complaints.push(`${r.url()} ${r.failure()?.errorText}`));
  return { page, complaints, close: () => context.close() };
};

// axe asks everything where the page is light. Dark and forced colours change colours alone, so there it asks about these,
// and everything in the long run. Legacy mode spares it a blank page for each answer, which takes as long as the rest; it differs
// where a page has frames, and none of ours may.
const axe = async (page, theme) => {
  const ask = new AxeBuilder({ page }).setLegacyMode(true);
  if (theme.name === "light" || process.env.OMBUD_SOAK) ask.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  else ask.withRules(["color-contrast", "link-in-text-block", "target-size"]);
  const { violations, incomplete } = await ask.analyze();
  return [...violations, ...incomplete.filter((i) => i.id !== "color-contrast")].map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(", ")}`);
};

for (const theme of themes) {
  for (const width of widths) {
    test(`every page at ${width} px, ${theme.name}`, async () => {
      const { page, complaints, close } = await open({ viewport: { width, height: 900 }, colorScheme: theme.colorScheme, forcedColors: theme.forcedColors });
      const bad = [];
      for (const r of routes(c)) {
        await enter(page.context(), r);
        await page.goto(r.url);
        for (const d of await page.locator("main details").all()) await d.evaluate((e) => { e.open = true; });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) bad.push(`${r.name}: ${wide} px too wide`);
        if (await page.locator("h1").count() !== 1) bad.push(`${r.name}: not one heading`);
        for (const v of await axe(page, theme)) bad.push(`${r.name}: ${v}`);
        for (const m of complaints.splice(0)) bad.push(`${r.name}: ${m}`);
      }
      await close();
      assert.deepEqual(bad, []);
    });
  }
}

test("targets are large enough to hit", async () => {
  const { page, close } = await open({ viewport: { width: 320, height: 900 } });
  const small = [];
  for (const r of routes(c)) {
    await enter(page.context(), r);
    await page.goto(r.url);
    const found = await page.evaluate(() => [...document.querySelectorAll("main :is(button, input:not([type=hidden]), select, summary, .btn, .tabs a, th a)")]
      .filter((e) => e.checkVisibility()).map((e) => [e.textContent.trim(), e.getBoundingClientRect().height]).filter(([, h]) => h < 20));
    if (found.length) small.push([r.name, found]);
  }
  await close();
  assert.deepEqual(small, []);
});

// press walks with Tab until what has the focus is called by name.
const tabTo = async (page, name) => {
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => ({ text: document.activeElement.textContent.trim() || document.activeElement.name, outline: getComputedStyle(document.activeElement).outlineStyle }));
    if (at.text.startsWith(name)) {
      assert.notEqual(at.outline, "none", `${name} shows no focus`);
      return;
    }
  }
  assert.fail(`Tab never reached ${name}`);
};

test("an erasure is taken in, approved and proven without a mouse", async () => {
  const { page, complaints, close } = await open();
  await page.goto(c.full.url);
  await page.keyboard.press("/");
  await page.waitForURL("**/requests/new");
  await tabTo(page, "kind");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "value");
  await page.keyboard.type("  OLAV@example.com ");
  await page.keyboard.press("Enter");
  await page.waitForURL(/requests\/R-\d+-\d+$/);
  assert.match(await page.locator("h1").textContent(), /^Erasure for email O····: the plan is ready for you\.$/);
  assert.ok(!page.url().toLowerCase().includes("olav"), "an identity is in the address");
  await tabTo(page, "Approve plan");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /done, and proven by looking again/.test(document.querySelector("h1").textContent));
  assert.match(await page.locator("#proof").textContent(), /none left/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Download the receipt").click()]);
  assert.match(download.suggestedFilename(), /^R-2026-\d+-receipt\.json$/);
  assert.ok(!(await page.content()).toLowerCase().includes("olav"), "a name is on the page");
  await close();
  assert.deepEqual(complaints, []);
});

test("keys open rooms and walk through rows", async () => {
  const { page, close } = await open();
  await page.goto(c.full.url);
  for (const [keys, path] of [[["g", "r"], "/requests"], [["g", "d"], "/map"], [["?"], "/keys"], [["g", "h"], "/"]]) {
    for (const k of keys) await page.keyboard.press(k);
    await page.waitForURL((u) => u.pathname === path);
  }
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const second = await page.locator("main tbody tr").nth(1).locator("a").first().getAttribute("href");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**${second}`);
  await page.goto(`${c.full.url}/keys`);
  await page.locator("#keys-off").check();
  await page.keyboard.press("Tab");
  await page.keyboard.press("?");
  await page.goto(c.full.url);
  await page.keyboard.press("/");
  assert.equal(new URL(page.url()).pathname, "/", "a key works that is switched off");
  await close();
});

test("the menu opens on a phone, without script", async () => {
  const { page, close } = await open({ viewport: { width: 320, height: 700 }, javaScriptEnabled: false });
  await page.goto(c.full.url);
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: /^Data map/ }).click();
  await page.waitForURL("**/map");
  await close();
});

test("everything works without script", async () => {
  const { page, complaints, close } = await open({ javaScriptEnabled: false });
  await page.goto(`${c.guesses.url}/requests/${c.guesses.refs.blocked}`);
  assert.equal(await page.getByRole("button", { name: /^Approve plan/ }).count(), 0, "a blocked plan can be approved");
  await page.getByRole("link", { name: "Answer on the data map" }).click();
  await page.getByRole("button", { name: /^Accept that events.visitors/ }).click();
  await page.getByRole("button", { name: /^Reject that events.receipts/ }).click();
  await page.locator("#findings", { hasText: "None." }).waitFor();
  assert.match(page.url(), /\/map#findings$/);
  await page.goto(`${c.guesses.url}/requests/${c.guesses.refs.blocked}`);
  await page.getByRole("button", { name: "Plan again" }).click();
  await page.getByRole("button", { name: /^Approve plan/ }).click();
  await page.getByRole("heading", { name: /at work|incomplete/ }).waitFor();
  await reloadWhile(page, /at work/);
  assert.match(await page.locator("h1").textContent(), /incomplete/); // events.odds is spoken for by nobody
  await page.getByText("Refuse this request").click();
  await page.getByLabel("Reason").fill("The contract is still running.");
  await page.getByRole("button", { name: /^Refuse R-/ }).click();
  await page.locator("h1", { hasText: "refused" }).waitFor();
  await close();
  assert.deepEqual(complaints, []);
});

test("a page without script loads itself again while a run goes on", async () => {
  const { page, close } = await open({ javaScriptEnabled: false });
  const answer = await page.goto(`${c.full.url}/requests/${c.full.refs.running}`);
  assert.match(await answer.text(), /<noscript><meta http-equiv="refresh" content="3"/);
  await close();
});

test("progress is told aloud system by system", async () => {
  const { page, close } = await open();
  await page.goto(`${c.full.url}/requests/${c.full.refs.running}`);
  await page.waitForFunction(() => document.querySelector("#running [role=status]").textContent.startsWith("Erasing in "));
  await close();
});

test("a form of another site changes nothing and is answered by a page", async () => {
  const { page, close } = await open();
  await page.route("http://evil.example/", (r) => r.fulfill({ contentType: "text/html",
    body: `<form method=post action="${c.full.url}/requests/${c.full.refs.planned}/plan"><button>go</button></form>` }));
  await page.goto("http://evil.example/");
  const [answer] = await Promise.all([page.waitForResponse((r) => r.request().method() === "POST"), page.getByText("go").click()]);
  assert.equal(answer.status(), 403);
  assert.match(await page.locator("h1").textContent(), /^Another site sent this/);
  await close();
});

test("each role opens what its rail and tabs offer, without script", async () => {
  const { page, complaints, close } = await open({ javaScriptEnabled: false });
  for (const [who, { cookie }] of Object.entries(c.staff.visitors)) {
    if (["code", "factor", "nobody"].includes(who)) continue;
    await enter(page.context(), { url: c.staff.url, cookie });
    await page.goto(c.staff.url);
    const rooms = await page.locator(".rail li a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    assert.ok(rooms.length > 0, `${who} has no room`);
    for (const room of rooms) {
      await page.goto(c.staff.url + room);
      for (const tab of await page.locator("main .tabs a").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
        const answer = await page.goto(new URL(tab, page.url()).href);
        assert.equal(answer.status(), 200, `${who}: ${tab}`);
      }
    }
  }
  await close();
  assert.deepEqual(complaints, []);
});

test("somebody signs out, and their session opens nothing any more", async () => {
  const { page, close } = await open({ javaScriptEnabled: false });
  const { cookie } = c.staff.visitors.developer;
  await enter(page.context(), { url: c.staff.url, cookie });
  await page.goto(`${c.staff.url}/account`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  await enter(page.context(), { url: c.staff.url, cookie });
  await page.goto(`${c.staff.url}/account`);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await close();
});

test("a key is made, shown once and revoked without a mouse", async () => {
  const { page, complaints, close } = await open();
  await enter(page.context(), { url: c.staff.url, cookie: c.staff.visitors.system_admin.cookie });
  await page.goto(`${c.staff.url}/api-keys`);
  await tabTo(page, "name");
  await page.keyboard.type("till");
  await tabTo(page, "role");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Copy the key for till now/ }).waitFor();
  const secret = (await page.getByLabel("API key", { exact: true }).textContent()).trim();
  assert.match(secret, /^omb_[\w-]{43}$/);
  await tabTo(page, "I have it");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /keys let programs in/ }).waitFor();
  assert.ok(!(await page.content()).includes(secret), "the key is shown again");
  const row = page.getByRole("row", { name: /^till/ });
  await row.getByText("Revoke", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await row.getByRole("button", { name: /^Revoke omb_/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: /^till.*revoked/ }).waitFor();
  await close();
  assert.deepEqual(complaints, []);
});

test("a wrong form names each thing to mend and leads to it", async () => {
  const { page, close } = await open({ javaScriptEnabled: false });
  await page.goto(`${c.full.url}/requests/new`);
  await page.locator("input[name=value]").fill("nobody");
  await page.locator("input[value=access]").check();
  await page.getByRole("button", { name: "Find them" }).click();
  assert.match(await page.getByRole("alert").textContent(), /Write the e-mail address with an @/);
  assert.equal(await page.locator("#value").getAttribute("aria-invalid"), "true");
  await close();
});
