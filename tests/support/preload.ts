/** Before every test file: real processes start and models load within a test's time. */
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
