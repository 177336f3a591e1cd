/**
 * Records are kept as they are written: many in one row. A row and an index entry for each cost a call
 * more than all else that is done to record it (ADR 0023).
 */
export const recordBatches = `
CREATE TABLE record_batches (
  seq INTEGER PRIMARY KEY,
  first_id TEXT NOT NULL,
  last_id TEXT NOT NULL,
  earliest INTEGER NOT NULL,
  latest INTEGER NOT NULL,
  count INTEGER NOT NULL,
  -- What its records can be found by: the servers, tools, effects and grants in it.
  terms TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX record_batches_by_id ON record_batches (first_id, last_id);

INSERT INTO record_batches
SELECT
  seq, id, id, at, at, 1,
  json_array('s' || server, 't' || ifnull(tool, ''), 'e' || effect, 'g' || grant_id),
  json_object(
    'kinds', json_array(json_array(
      server, grant_id, body ->> 1, body ->> 2, body ->> 3, body ->> 4, body ->> 5, body ->> 6,
      tool, effect, body ->> 7, body ->> 8, body ->> 9, body ->> 10, body ->> 11,
      json(body -> 12), body ->> 13, body ->> 14, body ->> 15, body ->> 17, body ->> 18
    )),
    'records', json_array(json_array(0, id, at, body ->> 0, body ->> 16))
  )
FROM records ORDER BY seq;
DROP TABLE records;
`
