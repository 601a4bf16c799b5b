// graphile-worker.

import { Logger, makeWorkerUtils, run, runMigrations } from "graphile-worker";
import { main, started, URL } from "./common.mjs";

// The best are near those of its own performance test; a queue of 500 was a little slower.
const WORKER = {
  four: { concurrentJobs: 4 },
  best: {
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 1000 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
};

// Nor does any other contender write a line a job.
const logger = new Logger(() => () => {});

let utils;

await main({
  setup: () => runMigrations({ connectionString: URL }),
  open: async () => {
    utils = await makeWorkerUtils({ connectionString: URL });
  },
  submit: (payload) => utils.addJob("noop", payload),
  submitMany: (payloads) =>
    utils.addJobs(payloads.map((payload) => ({ identifier: "noop", payload }))),
  close: () => utils.release(),
  work: async (mode) => {
    const runner = await run({
      preset: { worker: { connectionString: URL, logger, ...WORKER[mode] } },
      taskList: { noop: async (payload) => started(payload.number) },
      crontab: "",
    });
    await runner.promise;
  },
});
