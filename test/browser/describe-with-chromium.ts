import { describe } from '@jest/globals';

import { chromiumMissing } from './system-chromium.ts';

const missing = chromiumMissing();
if (missing !== null) console.warn(`skipped: ${missing}`);

/** `describe`, skipped with a printed reason where no Chromium is installed. */
export const describeWithChromium = missing === null ? describe : describe.skip;

/** The history, the gateway and the browser start within this, also on a busy machine. */
export const START_MS = 90_000;
