export { priceOf } from './price-list.ts';
export { PRICE_TABLE_VERSION } from './price-table.ts';
