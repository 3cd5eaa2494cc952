// What both oracles share: random numbers that a seed repeats, and one JSON value to a line.
import { readFileSync } from 'node:fs';

// random gives numbers below 1 from a seed (xorshift).
export function random(seed) {
  let x = seed >>> 0 || 1;
  return () => {
    x ^= x << 13; x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5; x >>>= 0;
    return x / 2 ** 32;
  };
}

// Dice rolls what a model is made of.
export class Dice {
  constructor(seed) { this.next = random(seed); }
  int(max) { return Math.floor(this.next() * (max + 1)); }
  bool(p = 0.5) { return this.next() < p; }
  pick(list) { return list[this.int(list.length - 1)]; }
  // ids rolls some of the ids from 1 to max: none, few, many, runs or all.
  ids(max) {
    const density = this.pick([0, 0.02, 0.3, 0.7, 0.98, 1]);
    const out = [];
    let run = this.bool() ? 0 : -1;
    for (let id = 1; id <= max; id++) {
      if (run >= 0 && id % 17 === 0) run = this.bool() ? 0 : 1;
      if (run === 1 || this.bool(density)) out.push(id);
    }
    return out;
  }
  list(length, max) { return Array.from({ length }, () => this.int(max)); }
}

export function print(values) { process.stdout.write(values.map((v) => JSON.stringify(v) + '\n').join('')); }

export function lines() { return readFileSync(0, 'utf8').split('\n').filter(Boolean); }
