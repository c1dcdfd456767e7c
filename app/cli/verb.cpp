#include "app/cli/verb.h"

#include <algorithm>

namespace cloister::cli {
namespace {

std::vector<std::unique_ptr<Verb>>& registry() {
  static std::vector<std::unique_ptr<Verb>> all;
  return all;
}

int editDistance(const QString& a, const QString& b) {
  QList<int> row(b.size() + 1);
  for (int j = 0; j < row.size(); ++j) row[j] = j;
  for (int i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= b.size(); ++j) {
      const int substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<std::unique_ptr<Verb>>& verbs() { return registry(); }

void registerVerb(std::unique_ptr<Verb> verb) {
  auto& all = registry();
  const auto place = std::upper_bound(all.begin(), all.end(), verb, [](auto& x, auto& y) { return x->path() < y->path(); });
  all.insert(place, std::move(verb));
}

Verb* findVerb(const QStringList& words, int* wordsUsed) {
  Verb* best = nullptr;
  for (const auto& verb : registry()) {
    const QStringList path = verb->path();
    if (words.mid(0, path.size()) != path || (best && best->path().size() >= path.size())) continue;
    best = verb.get();
    *wordsUsed = int(path.size());
  }
  return best;
}

QStringList similar(const QString& given, const QStringList& known) {
  QList<QPair<int, QString>> near;
  for (const QString& k : known) {
    const int d = k.startsWith(given) ? 0 : editDistance(given, k);
    if (d <= std::max<int>(2, int(given.size()) / 3)) near << qMakePair(d, k);
  }
  std::sort(near.begin(), near.end());
  QStringList names;
  for (const auto& n : near.mid(0, 3)) names << n.second;
  return names;
}

}  // namespace cloister::cli
