// Starts consoles with requests in every state, and a browser to look at them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));

// company builds and starts the fixture; stop ends it.
export const company = async () => {
  const dir = await mkdtemp(join(tmpdir(), "ombud-browser-"));
  const bin = join(dir, "consolefixture");
  const build = spawn("go", ["build", "-o", bin, "./internal/testkit/cmd/consolefixture"], { cwd: root, stdio: "inherit" });
  const [code] = await once(build, "exit");
  if (code !== 0) throw new Error("the fixture does not build");
  const run = spawn(bin, [], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: run.stdout }), "line");
  return {
    ...JSON.parse(line),
    stop: async () => {
      run.stdin.end();
      await once(run, "exit");
      await rm(dir, { recursive: true, force: true });
    },
  };
};

// patience is longer than a busy machine keeps anybody waiting, in milliseconds.
const patience = 120_000;

// browser starts Chromium, which asks nobody but our own pages.
export const browser = async () => {
  const b = await launch();
  const fresh = b.newContext.bind(b);
  b.newContext = async (options) => {
    const context = await fresh(options);
    context.setDefaultTimeout(patience);
    return context;
  };
  return b;
};

// reloadWhile loads a page again as long as its heading says this.
export const reloadWhile = async (page, heading) => {
  for (const end = Date.now() + patience; Date.now() < end && heading.test(await page.locator("h1").textContent());) await page.reload();
};

const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  timeout: patience,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync", "--no-first-run"],
});

// routes are all pages: those of every route that the console has, as the fixture lists them, then those that differ by
// what stands behind them.
export const routes = (c) => {
  const of = (place, paths) => paths.map((path) => ({ name: `${place}${path}`, url: c[place].url + path }));
  const states = Object.entries(c.full.refs).filter(([, ref]) => ref.startsWith("R-"));
  return [
    ...of("empty", ["/", "/requests", "/requests/new", "/people", "/consent", "/consent/purposes", "/consent/expiring", "/consent/restrictions", "/map", "/keys", "/requests/R-2026-9999", "/nothing"]),
    ...of("guesses", ["/", "/map", `/requests/${c.guesses.refs.blocked}`]),
    ...of("full", c.full.pages),
    ...of("full", ["/requests?state=closed", "/requests?due=late", "/consent?purpose=measuring&weeks=52", "/consent/purposes/advice", "/consent/purposes/orders"]),
    ...states.map(([state, ref]) => ({ name: `full/${state}`, url: `${c.full.url}/requests/${ref}` })),
    ...of("full", ["/roles?role=system_admin&may=consent.read", "/log/looks?who=account:nobody"]),
    ...signedIn(c),
  ];
};

// signedIn are pages as somebody meets them who has an account, or is on the way in: those of the door and of their own account,
// where each role comes out, and what is as nobody sees it without a session.
export const signedIn = (c) => Object.entries(c.staff.visitors).flatMap(([who, { cookie, pages }]) =>
  pages.filter((path) => path === "/" || /^\/(sign-in|setup|account|log\/looks|people\/sub_)/.test(path) || !cookie)
    .map((path) => ({ name: `${who}${path.replace(/link=.*/, "link")}`, url: c.staff.url + path, cookie })));

// enter gives the browser the session of a visitor, or none.
export const enter = async (context, { url, cookie }) => {
  await context.clearCookies();
  if (cookie) await context.addCookies([{ name: "ombud_test", value: cookie, url }]);
};

export const widths = [320, 768, 1280];
export const themes = [
  { name: "light", colorScheme: "light" },
  { name: "dark", colorScheme: "dark" },
  { name: "forced", colorScheme: "light", forcedColors: "active" },
];
