-- The index of a project. The truth of a run lies in its folder, the bytes of a sample in objects/, an import's outcome in its records.jsonl.
-- Run by core/store/migrator.cpp inside one transaction. Never change a released file: add the next number.

CREATE TABLE settings (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL                      -- one JSON value in an array of one
) WITHOUT ROWID;

CREATE TABLE imports (
  id             INTEGER PRIMARY KEY,
  source         TEXT NOT NULL,
  state          TEXT NOT NULL,            -- running, finished, stopped, failed
  started_at     TEXT NOT NULL,
  finished_at    TEXT NOT NULL DEFAULT '',
  records_offset INTEGER NOT NULL DEFAULT 0,  -- bytes of records.jsonl already applied
  request        TEXT NOT NULL
);

CREATE TABLE samples (
  id              INTEGER PRIMARY KEY,
  import_id       INTEGER NOT NULL REFERENCES imports(id),
  sha256          BLOB NOT NULL,           -- 32 bytes
  frame           INTEGER NOT NULL,
  key             TEXT NOT NULL,
  source          TEXT NOT NULL,
  file            TEXT NOT NULL,
  bytes           INTEGER NOT NULL,
  width           INTEGER NOT NULL,
  height          INTEGER NOT NULL,
  channels        INTEGER NOT NULL,
  bits            INTEGER NOT NULL,
  frames          INTEGER NOT NULL,
  modality        TEXT NOT NULL,
  site            TEXT NOT NULL,
  patient         TEXT NOT NULL,
  study           TEXT NOT NULL,
  series          TEXT NOT NULL,
  instance        TEXT NOT NULL,
  label           TEXT NOT NULL,
  label_origin    TEXT NOT NULL,
  problem         TEXT NOT NULL,
  excluded        INTEGER NOT NULL,
  perceptual_hash INTEGER NOT NULL,
  thumb_offset    INTEGER NOT NULL,
  thumb_width     INTEGER NOT NULL,
  thumb_height    INTEGER NOT NULL,
  thumb_channels  INTEGER NOT NULL,
  window_center   REAL NOT NULL,
  window_width    REAL NOT NULL,
  UNIQUE (sha256, frame)
);
-- Also what a search for text walks over, instead of the whole rows.
CREATE INDEX samples_text ON samples(key, patient, label);
CREATE INDEX samples_label ON samples(label);
CREATE INDEX samples_patient ON samples(patient);
CREATE INDEX samples_site ON samples(site) WHERE site <> '';
CREATE INDEX samples_modality ON samples(modality) WHERE modality <> '';
CREATE INDEX samples_problem ON samples(problem) WHERE problem <> '';

-- Apart from samples: the inspector needs them one at a time, a scan of a million samples must not read them.
CREATE TABLE sample_headers (
  sample_id INTEGER PRIMARY KEY REFERENCES samples(id),
  header    TEXT NOT NULL
);

CREATE TABLE refusals (
  id        INTEGER PRIMARY KEY,
  import_id INTEGER NOT NULL REFERENCES imports(id),
  file      TEXT NOT NULL,
  kind      TEXT NOT NULL,
  message   TEXT NOT NULL
);
CREATE INDEX refusals_import ON refusals(import_id);

CREATE TABLE duplicates (
  id        INTEGER PRIMARY KEY,
  import_id INTEGER NOT NULL REFERENCES imports(id),
  file      TEXT NOT NULL,
  original  TEXT NOT NULL                  -- the file (or key) whose bytes came first
);
CREATE INDEX duplicates_import ON duplicates(import_id);

-- Every change of a sample by a person or a label table: undo, redo and the label's way in the lineage.
CREATE TABLE history (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  at    TEXT NOT NULL,
  who   TEXT NOT NULL,
  what  TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0         -- 0 done, 1 undone (can be redone), 2 undone and replaced by another change
);
CREATE INDEX history_state ON history(state, id);
CREATE TABLE history_changes (
  history_id INTEGER NOT NULL REFERENCES history(id),
  sample_id  INTEGER NOT NULL REFERENCES samples(id),
  field      TEXT NOT NULL,                -- label, label_origin, patient, site, excluded
  before     TEXT NOT NULL,
  after      TEXT NOT NULL,
  PRIMARY KEY (history_id, sample_id, field)
) WITHOUT ROWID;
CREATE INDEX history_changes_sample ON history_changes(sample_id);

CREATE TABLE snapshots (
  id         INTEGER PRIMARY KEY,
  digest     TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  samples    INTEGER NOT NULL,
  groups     INTEGER NOT NULL,
  detail     TEXT NOT NULL                 -- JSON: splitCounts, classes
);
CREATE TABLE snapshot_samples (
  snapshot_id INTEGER NOT NULL REFERENCES snapshots(id),
  split       INTEGER NOT NULL,            -- 0 train, 1 validation, 2 test
  sample_id   INTEGER NOT NULL REFERENCES samples(id),
  PRIMARY KEY (snapshot_id, split, sample_id)
) WITHOUT ROWID;
CREATE INDEX snapshot_samples_sample ON snapshot_samples(sample_id);

CREATE TABLE runs (
  id          TEXT NOT NULL PRIMARY KEY,
  number      INTEGER NOT NULL UNIQUE,
  family      TEXT NOT NULL,
  snapshot    TEXT NOT NULL,
  state       TEXT NOT NULL,
  created_at  TEXT NOT NULL,
  finished_at TEXT NOT NULL,
  step        INTEGER NOT NULL,
  steps       INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  summary     TEXT NOT NULL
) WITHOUT ROWID;
