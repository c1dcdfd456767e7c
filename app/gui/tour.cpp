#include "app/gui/tour.h"

#include <cstdio>

#include <QCursor>
#include <QDir>
#include <QPixmap>
#include <QScrollArea>
#include <QScrollBar>

#include "widgets/common/page.h"
#include "widgets/common/shell.h"
#include "widgets/common/store_client.h"

namespace cloister {
namespace {
constexpr int kLookEveryMs = 50;
constexpr int kQuietLooks = 6;      // 300 ms without a request under way
constexpr int kPatienceMs = 20000;  // a page that never settles is shown as it is
}  // namespace

Tour::Tour(MainWindow& window, StoreClient& store, QString dir, QObject* parent)
    : QObject(parent), window_(window), store_(store), dir_(std::move(dir)) {
  connect(&timer_, &QTimer::timeout, this, &Tour::look);
}

void Tour::start() {
  QCursor::setPos(window_.mapToGlobal(QPoint(window_.width() / 2, 4)));  // over nothing that lights up
  since_.start();
  timer_.start(kLookEveryMs);
}

void Tour::look() {
  quiet_ = store_.pending() == 0 ? quiet_ + 1 : 0;
  if (quiet_ < kQuietLooks && since_.elapsed() < kPatienceMs) return;
  if (index_ < 0) {
    plan();
  } else {
    if (!save()) return;
    if (scrollOn()) {
      quiet_ = 0;
      since_.restart();
      return;
    }
  }
  if (++index_ >= stops_.size()) {
    timer_.stop();
    Q_EMIT finished(0);
    return;
  }
  const Stop& stop = stops_[index_];
  window_.show_(stop.page);
  if (Page* page = window_.pageOf(stop.page)) {
    page->openView(stop.view);
    page->setFocus();  // no ring on whatever came first
  }
  quiet_ = 0;
  since_.restart();
}

// Known only once the project is open.
void Tour::plan() {
  for (const QString& id : window_.shownPageIds()) {
    stops_ << Stop{id, {}};
    if (store_.state().open)
      for (const QString& view : window_.pageOf(id)->views()) stops_ << Stop{id, view};
  }
}

// A page longer than the window is shown in parts: scrolls by what was seen and says whether there was more.
bool Tour::scrollOn() {
  const QWidget* page = window_.currentPage();
  for (QScrollArea* area : page->findChildren<QScrollArea*>()) {
    QScrollBar* bar = area->verticalScrollBar();
    if (!area->isVisible() || area->viewport()->height() < page->height() / 3 || area->viewport()->width() < page->width() / 2) continue;
    if (bar->value() >= bar->maximum()) continue;
    bar->setValue(bar->value() + bar->pageStep());
    ++stops_[index_].part;
    return true;
  }
  return false;
}

bool Tour::save() {
  const Stop& stop = stops_[index_];
  QString view = stop.view.isEmpty() ? QString() : '-' + stop.view;
  if (stop.part > 1) view += QStringLiteral("-%1").arg(stop.part);
  const QString file = QStringLiteral("%1/%2-%3%4.png").arg(dir_).arg(window_.pageIds().indexOf(stop.page) + 1).arg(stop.page, view);
  if (!QDir().mkpath(dir_) || !window_.grab().save(file)) {
    std::fprintf(stderr, "cloister: cannot write %s\n", qPrintable(file));
    timer_.stop();
    Q_EMIT finished(1);
    return false;
  }
  std::printf("%s\n", qPrintable(file));
  std::fflush(stdout);
  return true;
}

}  // namespace cloister
