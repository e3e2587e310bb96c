import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';
import { describeLabelEvents } from './label-events.contract.ts';

describeLabelEvents('SQLite, in process', () => openTemporarySqlite());
describeLabelEvents('SQLite with its threads', () => openTemporarySqlite({ threads: true }));
