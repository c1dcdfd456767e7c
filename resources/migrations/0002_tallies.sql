-- How many samples there are of each label, site, modality, patient …: kept by triggers, so that the Project page needs no scan of a
-- million rows. kind: total, labelled, excluded, problem, label, site, modality, patient; refused and duplicate count files.

CREATE TABLE tallies (
  kind  TEXT NOT NULL,
  value TEXT NOT NULL,
  n     INTEGER NOT NULL,
  PRIMARY KEY (kind, value)
) WITHOUT ROWID;

INSERT INTO tallies SELECT 'total', '', count(*) FROM samples;
INSERT INTO tallies SELECT 'labelled', '', count(*) FROM samples WHERE label <> '';
INSERT INTO tallies SELECT 'excluded', '', count(*) FROM samples WHERE excluded <> 0;
INSERT INTO tallies SELECT 'problem', '', count(*) FROM samples WHERE problem <> '';
INSERT INTO tallies SELECT 'patients', '', count(DISTINCT patient) FROM samples WHERE patient <> '';
INSERT INTO tallies SELECT 'label', label, count(*) FROM samples WHERE label <> '' GROUP BY label;
INSERT INTO tallies SELECT 'site', site, count(*) FROM samples WHERE site <> '' GROUP BY site;
INSERT INTO tallies SELECT 'modality', modality, count(*) FROM samples WHERE modality <> '' GROUP BY modality;
INSERT INTO tallies SELECT 'refused', '', count(*) FROM refusals;
INSERT INTO tallies SELECT 'duplicate', '', count(*) FROM duplicates;

CREATE TRIGGER samples_inserted AFTER INSERT ON samples BEGIN
  UPDATE tallies SET n = n + 1 WHERE kind = 'total' AND value = '';
  UPDATE tallies SET n = n + 1 WHERE kind = 'labelled' AND value = '' AND new.label <> '';
  UPDATE tallies SET n = n + 1 WHERE kind = 'excluded' AND value = '' AND new.excluded <> 0;
  UPDATE tallies SET n = n + 1 WHERE kind = 'problem' AND value = '' AND new.problem <> '';
  -- The row is in already: a patient seen for the first time has exactly one.
  UPDATE tallies SET n = n + 1 WHERE kind = 'patients' AND value = '' AND new.patient <> ''
    AND NOT EXISTS (SELECT 1 FROM samples WHERE patient = new.patient AND id <> new.id);
  INSERT INTO tallies SELECT 'label', new.label, 1 WHERE new.label <> '' ON CONFLICT DO UPDATE SET n = n + 1;
  INSERT INTO tallies SELECT 'site', new.site, 1 WHERE new.site <> '' ON CONFLICT DO UPDATE SET n = n + 1;
  INSERT INTO tallies SELECT 'modality', new.modality, 1 WHERE new.modality <> '' ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER samples_labelled AFTER UPDATE OF label ON samples WHEN old.label <> new.label BEGIN
  UPDATE tallies SET n = n + (new.label <> '') - (old.label <> '') WHERE kind = 'labelled' AND value = '';
  UPDATE tallies SET n = n - 1 WHERE kind = 'label' AND value = old.label;
  DELETE FROM tallies WHERE kind = 'label' AND value = old.label AND n = 0;
  INSERT INTO tallies SELECT 'label', new.label, 1 WHERE new.label <> '' ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER samples_sited AFTER UPDATE OF site ON samples WHEN old.site <> new.site BEGIN
  UPDATE tallies SET n = n - 1 WHERE kind = 'site' AND value = old.site;
  DELETE FROM tallies WHERE kind = 'site' AND value = old.site AND n = 0;
  INSERT INTO tallies SELECT 'site', new.site, 1 WHERE new.site <> '' ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER samples_patient_changed AFTER UPDATE OF patient ON samples WHEN old.patient <> new.patient BEGIN
  UPDATE tallies SET n = n - 1 WHERE kind = 'patients' AND value = '' AND old.patient <> ''
    AND NOT EXISTS (SELECT 1 FROM samples WHERE patient = old.patient);
  UPDATE tallies SET n = n + 1 WHERE kind = 'patients' AND value = '' AND new.patient <> ''
    AND NOT EXISTS (SELECT 1 FROM samples WHERE patient = new.patient AND id <> new.id);
END;

CREATE TRIGGER samples_excluded AFTER UPDATE OF excluded ON samples WHEN old.excluded <> new.excluded BEGIN
  UPDATE tallies SET n = n + (new.excluded <> 0) - (old.excluded <> 0) WHERE kind = 'excluded' AND value = '';
END;

CREATE TRIGGER refusals_inserted AFTER INSERT ON refusals BEGIN
  UPDATE tallies SET n = n + 1 WHERE kind = 'refused' AND value = '';
END;
CREATE TRIGGER duplicates_inserted AFTER INSERT ON duplicates BEGIN
  UPDATE tallies SET n = n + 1 WHERE kind = 'duplicate' AND value = '';
END;
