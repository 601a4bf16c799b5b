// pg-boss. A worker waits for its next poll after each batch unless it is notified; ours notifies it.

import PgBoss from "pg-boss";
import { main, started, URL } from "./common.mjs";

const QUEUE = "noop";
// Each fetch sorts all that waits: 1000 by one worker gave a third, 3000 by two three quarters.
const BATCH = { four: 1, best: 5000 };
const WORKERS = { four: 4, best: 2 };

const boss = new PgBoss({ connectionString: URL });
boss.on("error", (error) => console.error(error));

async function work(mode) {
  await boss.start();
  for (let number = 0; number < WORKERS[mode]; number++) {
    const options = { batchSize: BATCH[mode], pollingIntervalSeconds: 0.5 };
    const id = await boss.work(QUEUE, options, async (jobs) => {
      for (const job of jobs) started(job.data.number);
      boss.notifyWorker(id);
    });
  }
  process.on("SIGTERM", async () => {
    await boss.stop({ graceful: true, timeout: 5000 });
    process.exit(0);
  });
}

await main({
  setup: async () => {
    await boss.start();
    await boss.createQueue(QUEUE);
    await boss.stop({ graceful: false });
  },
  open: () => boss.start(),
  submit: (payload) => boss.send(QUEUE, payload),
  submitMany: (payloads) => boss.insert(payloads.map((data) => ({ name: QUEUE, data }))),
  close: () => boss.stop({ graceful: false }),
  work,
});
