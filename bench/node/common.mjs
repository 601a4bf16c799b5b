// The command line of the Node scripts; it is that of bench/peers/common.py.

import { openSync, readSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const PIPE = process.env.BENCH_PIPE;
const LAST = process.env.BENCH_LAST ?? "every";
const WARM_UP = 10;
const PAUSE = Number(process.env.BENCH_PAUSE ?? "0.02") * 1000;
export const URL = process.env.BENCH_URL;

let told;

// The first line of a job: see bench/marks.py.
export function started(number) {
  if (!PIPE || (told !== undefined && LAST !== "every" && LAST !== String(number))) return;
  const line = `${number} ${process.hrtime.bigint()}\n`;
  told ??= openSync(PIPE, "w");
  writeSync(told, line);
}

const payload = (number) => ({ number, text: "x".repeat(180) });

async function submissions(queue, verb, jobs) {
  await queue.open();
  try {
    if (verb === "pickup") return await pickup(queue, jobs);
    const payloads = Array.from({ length: jobs }, (_, number) => payload(number));
    const began = performance.now();
    if (verb === "fill") await queue.submitMany(payloads);
    else for (const each of payloads) await queue.submit(each);
    return (jobs * 1000) / (performance.now() - began);
  } finally {
    await queue.close();
  }
}

async function pickup(queue, jobs) {
  const found = [];
  // Opened for both: it must not end while no worker has it open.
  const descriptor = openSync(PIPE, "r+");
  const line = Buffer.alloc(256);
  for (let number = 0; number < WARM_UP + jobs; number++) {
    await sleep(Math.random() * PAUSE);
    await queue.submit(payload(number));
    const committed = process.hrtime.bigint();
    // There is one line, whole, and nothing else to do before it is here.
    const length = readSync(descriptor, line);
    const start = BigInt(line.toString("utf8", 0, length).trim().split(" ")[1]);
    if (number >= WARM_UP) found.push(Number(start - committed) / 1e6);
  }
  return found;
}

export async function main(queue) {
  const [verb, argument] = process.argv.slice(2);
  if (verb === "setup") await queue.setup();
  else if (verb === "work") await queue.work(argument);
  else {
    console.log(JSON.stringify(await submissions(queue, verb, Number(argument))));
    process.exit(0);
  }
}
