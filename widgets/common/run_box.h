// A choice of runs: "r-0003  ResNet-18". Main thread.
#pragma once
#include <QStringList>

class QComboBox;

namespace cloister {

struct RunRecord;

/// Lists those of `runs` whose id is in `ids`, keeps the choice, else takes `otherwise`, else the first. Silent; touches nothing when the
/// same words stand there already.
void fillRunBox(QComboBox* box, const QList<RunRecord>& runs, const QStringList& ids, const QString& otherwise = {});

}  // namespace cloister
