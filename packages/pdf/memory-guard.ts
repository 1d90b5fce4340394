/** A thread that kills its process once that holds more memory than it was told: the main thread is busy with the file. */
const LOOK_EVERY_MS = 20;

addEventListener("message", ({ data: most_bytes }: MessageEvent<number>) => {
  setInterval(() => {
    if (process.memoryUsage.rss() > most_bytes) process.kill(process.pid, "SIGKILL");
  }, LOOK_EVERY_MS);
  postMessage("watching");
});
