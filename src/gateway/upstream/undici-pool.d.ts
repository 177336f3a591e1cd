/** Undici's pool without its fetch, caches and mocks, which the data path does not load. */
declare module 'undici/lib/dispatcher/pool.js' {
  import type { Pool } from 'undici'

  const pool: typeof Pool
  export default pool
}
