import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';
import { describeLedger } from './ledger.contract.ts';

describeLedger('SQLite, in process', () => openTemporarySqlite());
