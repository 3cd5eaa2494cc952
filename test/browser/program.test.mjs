// The program itself: the demo company is made, served, and a customer of it is erased in the browser.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { browser, reloadWhile, widths } from "./company.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

// run waits until a command has ended and demands that it ended well.
const run = async (command, args, cwd) => {
  const [code] = await once(spawn(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] }), "exit");
  assert.equal(code, 0, `${command} ${args.join(" ")}`);
};

let dir, server, address, b;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "ombud-program-"));
  const ombud = process.env.OMBUD_BIN || join(dir, "ombud");
  if (!process.env.OMBUD_BIN) await run("go", ["build", "-o", ombud, "./cmd/ombud"], root);
  await run(ombud, ["demo", "--no-serve"], dir);
  server = spawn(ombud, ["serve", "--listen", "127.0.0.1:0"], { cwd: join(dir, "ombud-demo"), stdio: ["ignore", "pipe", "pipe"] });
  address = await new Promise((found, failed) => {
    for (const out of [server.stdout, server.stderr]) {
      createInterface({ input: out }).on("line", (line) => { const url = line.match(/http:\/\/\S+token=\S+/); if (url) found(url[0]); });
    }
    server.on("exit", (code) => failed(new Error(`serve ended with ${code}`)));
  });
  b = await browser();
});
after(async () => {
  await b?.close();
  if (server?.exitCode === null) {
    server.kill("SIGTERM");
    await once(server, "exit");
  }
  if (dir) await rm(dir, { recursive: true, force: true });
});

test("without the address of this start nobody is let in", async () => {
  const page = await b.newPage();
  const answer = await page.goto(new URL("/", address).href);
  assert.equal(answer.status(), 401);
  await page.close();
});

test("the demo is shown, and a customer is erased and proven", async () => {
  const context = await b.newContext();
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complaints.push(m.text()); });
  page.on("pageerror", (e) => complaints.push(String(e)));
  await page.goto(address);
  assert.ok(!page.url().includes("token"), "the token stays in the address");
  const at = new URL("/", address).href;
  const bad = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    for (const path of ["", "requests?state=all", "requests/R-2026-0001", "requests/R-2026-0002", "requests/new", "map", "people", "consent", "consent/expiring", "consent/purposes/newsletter"]) {
      await page.goto(at + path.replace("2026", String(new Date().getUTCFullYear())));
      const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
      for (const v of violations) bad.push(`${path} at ${width}: ${v.id}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) bad.push(`${path} at ${width}: ${wide} px too wide`);
    }
  }
  await page.goto(`${at}requests/new`);
  await page.getByLabel("To be erased").check();
  await page.getByLabel("What do you know of them?").selectOption("customer");
  await page.getByLabel("The exact value").fill("4711");
  await page.getByRole("button", { name: "Find them" }).click();
  await page.locator("h1", { hasText: /: the plan is ready for you\.$/ }).waitFor();
  await page.getByRole("button", { name: /^Approve plan [0-9a-f]{4} [0-9a-f]{4}$/ }).click();
  await reloadWhile(page, /ready for you/); // the form waits two seconds for the run to begin
  await page.waitForFunction(() => !/at work|ready for you/.test(document.querySelector("h1").textContent));
  assert.match(await page.locator("h1").textContent(), /done, and proven by looking again|incomplete/);
  await context.close();
  assert.deepEqual([...bad, ...complaints], []);
});
