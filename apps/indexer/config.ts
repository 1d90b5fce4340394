import { Type } from "@sinclair/typebox";
import {
  appSettings,
  healthSettings,
  leaseSettings,
  modelSettings,
  redisSettings,
  storeSettings,
} from "#runtime";

/** Of the stage on the queue. */
export const indexerSettings = Type.Object({
  ...appSettings,
  ...healthSettings,
  ...leaseSettings,
  ...redisSettings,
  ...storeSettings,
  ...modelSettings,
});

/** Of the command, which needs neither Redis nor a port. */
export const ingestSettings = Type.Object({ ...storeSettings, ...modelSettings });
