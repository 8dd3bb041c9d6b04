-- A log of format 1, as the first release wrote it. Never changed: every later release must read it.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('coordinator', '0123456789abcdef0123456789abcdef');
CREATE TABLE sweeps (
    sweep INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    measure TEXT NOT NULL,
    owner TEXT NOT NULL,
    phase INTEGER NOT NULL,
    attempts_failed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE blocks (
    sweep INTEGER NOT NULL,
    position INTEGER NOT NULL,
    idempotency_key TEXT,
    trials INTEGER NOT NULL,
    block TEXT NOT NULL,
    PRIMARY KEY (sweep, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX blocks_by_key ON blocks (sweep, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE TABLE pins (
    sweep INTEGER NOT NULL,
    task TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (sweep, task)
) WITHOUT ROWID;
CREATE TABLE units (
    sweep INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    grid INTEGER NOT NULL,
    first INTEGER NOT NULL,
    past INTEGER NOT NULL,
    trials INTEGER NOT NULL,
    root INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    amnesty INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    winner INTEGER,
    ok INTEGER NOT NULL DEFAULT 0,
    diverged INTEGER NOT NULL DEFAULT 0,
    manifest TEXT,
    reason TEXT,
    cleared INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sweep, unit)
) WITHOUT ROWID;
CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    sweep INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    worker TEXT NOT NULL,
    cause INTEGER NOT NULL,
    message TEXT NOT NULL,
    failed_at INTEGER NOT NULL DEFAULT (unixepoch())
);
CREATE INDEX failures_by_sweep ON failures (sweep);
INSERT INTO sweeps (sweep, name, measure, owner, phase, attempts_failed) VALUES (1, 's', '{"m":1}', 'me', 1, 3);
INSERT INTO blocks (sweep, position, idempotency_key, trials, block) VALUES (1, 0, NULL, 8, '{"b":0}'), (1, 1, 'k', 2, '{"b":1}');
INSERT INTO pins (sweep, task, fingerprint) VALUES (1, 'digits', 'f');
INSERT INTO units (sweep, unit, grid, first, past, trials, root, stage, attempt, amnesty, worker, winner, ok, diverged, manifest, reason, cleared) VALUES
    (1, 0, 0, 0, 4, 4, 0, 6, 1, 0, NULL, NULL, 0, 0, NULL, NULL, 0),
    (1, 1, 0, 0, 2, 2, 0, 2, 1, 0, NULL, 1, 1, 1, '[{"table":"trials","path":"p","rows":2,"bytes":3,"blake3":"b"}]', NULL, 0),
    (1, 2, 0, 2, 4, 2, 0, 1, 2, 0, 'w', NULL, 0, 0, NULL, NULL, 0),
    (1, 3, 0, 4, 5, 1, 3, 5, 3, 0, NULL, NULL, 0, 0, NULL, 'why', 1),
    (1, 4, 0, 5, 6, 1, 4, 4, 1, 0, NULL, 1, 1, 0, NULL, NULL, 1);
INSERT INTO failures (sweep, unit, attempt, worker, cause, message, failed_at) VALUES
    (1, 0, 1, 'w', 0, 'boom', 1700000000),
    (1, 2, 1, 'w', 6, 'gone', 1700000001);
PRAGMA user_version = 1;
