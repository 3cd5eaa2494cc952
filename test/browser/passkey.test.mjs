// Passkeys, with the authenticator that Chromium has for tests: made at the first sign-in, used, named, removed.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { browser, widths } from "./company.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const password = "correct horse battery";

const freePort = async () => {
  const s = createServer().listen(0, "127.0.0.1");
  await once(s, "listening");
  const { port } = s.address();
  s.close();
  return port;
};

let dir, server, base, b;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "ombud-passkey-"));
  const ombud = process.env.OMBUD_BIN || join(dir, "ombud");
  if (!process.env.OMBUD_BIN) {
    const [code] = await once(spawn("go", ["build", "-o", ombud, "./cmd/ombud"], { cwd: root, stdio: "inherit" }), "exit");
    assert.equal(code, 0);
  }
  await writeFile(join(dir, "password"), password, { mode: 0o600 });
  const port = await freePort();
  base = `http://localhost:${port}`;
  server = spawn(ombud, ["serve", "--listen", `127.0.0.1:${port}`, "--admin-name", "kari", "--admin-password-file", "password"], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  await new Promise((found, failed) => {
    for (const out of [server.stdout, server.stderr]) createInterface({ input: out }).on("line", (line) => { if (line.includes("http://")) found(); });
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

// withDevice opens a page whose browser has an authenticator that says yes.
const withDevice = async () => {
  const context = await b.newContext();
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complaints.push(m.text()); });
  page.on("pageerror", (e) => complaints.push(String(e)));
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options: {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  return { context, page, complaints, cdp, authenticatorId };
};

const sound = async (page, what) => {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  assert.deepEqual(violations.map((v) => `${what}: ${v.id}: ${v.nodes[0].html}`), []);
};

// looks keeps a picture in light and dark at each width, where somebody wants to see them, and demands that nothing is cut off.
const looks = async (page, name) => {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 800 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(over, 0, `${name} at ${width} is wider than the window`);
      if (process.env.OMBUD_SHOTS) await page.screenshot({ path: join(process.env.OMBUD_SHOTS, `${name}-${scheme}-${width}.png`), fullPage: true });
    }
    await sound(page, `${name}, ${scheme}`);
  }
};

test("a passkey is the second factor from the start, and then both", async () => {
  const { context, page, complaints, cdp, authenticatorId } = await withDevice();
  await page.goto(base + "/sign-in");
  await looks(page, "door");
  await page.getByLabel("Name", { exact: true }).fill("kari");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/account/factor");
  await looks(page, "factor");
  await page.getByLabel("What you call the device").fill("blue phone");
  await page.getByRole("button", { name: "Set up a passkey" }).click();
  await looks(page, "make");
  await page.getByRole("button", { name: "Make the passkey blue phone" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your passkey is in use." }).waitFor();
  assert.equal(await page.locator("ol.codes li").count(), 10);

  await context.clearCookies();
  await page.goto(base + "/sign-in");
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await page.waitForURL((u) => !u.pathname.startsWith("/sign-in"));
  await page.goto(base + "/account");
  await page.getByRole("cell", { name: "blue phone" }).or(page.getByText("blue phone").first()).first().waitFor();
  await looks(page, "account");

  // after name and password it is what is asked for: there is no app
  await context.clearCookies();
  await page.goto(base + "/sign-in");
  await page.getByLabel("Name", { exact: true }).fill("kari");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Now your passkey." }).waitFor();
  await page.getByText("Use a recovery code").click();
  await looks(page, "passkey");
  await sound(page, "passkey");
  await page.getByRole("button", { name: "Use your passkey" }).click();
  await page.waitForURL((u) => !u.pathname.startsWith("/sign-in"));

  // a device that does not ask for finger, face or PIN is not enough
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await context.clearCookies();
  await page.goto(base + "/sign-in");
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await page.getByText("The device did not answer.").waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("without script no passkey is offered, and the door works as before", async () => {
  const context = await b.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(base + "/sign-in");
  assert.equal(await page.getByRole("button", { name: "Use a passkey" }).isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Sign in" }).isVisible(), true);
  await context.close();
});

test("under a number there are no passkeys", async () => {
  const page = await b.newPage();
  await page.goto(base.replace("localhost", "127.0.0.1") + "/sign-in");
  assert.equal(await page.getByRole("button", { name: "Use a passkey" }).count(), 0);
  await page.close();
});
