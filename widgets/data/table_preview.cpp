#include "widgets/data/table_preview.h"

#include <QComboBox>
#include <QFile>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLabel>
#include <QTableWidget>
#include <QVBoxLayout>

#include "core/domain/failure.h"
#include "widgets/common/language.h"
#include "widgets/common/store_client.h"
#include "widgets/common/theme.h"
#include "widgets/data/ingest_task.h"

namespace cloister {
namespace {

constexpr int kRows = 50;
const QStringList kRoles{QStringLiteral("ignore"), QStringLiteral("key"), QStringLiteral("label"), QStringLiteral("group"),
                         QStringLiteral("site")};

struct Preview {
  QJsonObject head;
  QList<QStringList> rows;
};

Preview readPreview(const QString& path) {
  Preview p;
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return p;
  p.head = QJsonDocument::fromJson(file.readLine()).object();
  while (!file.atEnd() && p.rows.size() < kRows) {
    QStringList cells;
    for (const QJsonValue& v : QJsonDocument::fromJson(file.readLine()).object()["cells"].toArray()) cells << v.toVariant().toString();
    p.rows << cells;
  }
  return p;
}

}  // namespace

TablePreview::TablePreview(StoreClient& store, QWidget* parent) : QFrame(parent), task_(new IngestTask(store, this)), store_(store) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kS);
  settings_ = new QWidget(this);
  auto* row = new QHBoxLayout(settings_);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kS);
  const auto combo = [this, row](QLabel*& label) {
    label = new QLabel(this);
    auto* box = new QComboBox(this);
    label->setBuddy(box);
    row->addWidget(label);
    row->addWidget(box);
    connect(box, &QComboBox::activated, this, &TablePreview::read);
    return box;
  };
  separator_ = combo(separatorLabel_);
  encoding_ = combo(encodingLabel_);
  decimal_ = combo(decimalLabel_);
  header_ = combo(headerLabel_);
  row->addStretch(1);
  for (const char* s : {"", ",", ";", "\t", "|"}) separator_->addItem(QString(), QString::fromLatin1(s));
  for (const char* e : {"", "UTF-8", "GB18030", "ISO-8859-1", "windows-1252", "UTF-16"})
    encoding_->addItem(QString::fromLatin1(e), QString::fromLatin1(e));
  for (const char* d : {"", ".", ","}) decimal_->addItem(QString::fromLatin1(d), QString::fromLatin1(d));
  header_->addItem(QString(), QVariant());
  header_->addItem(QString(), true);
  header_->addItem(QString(), false);
  column->addWidget(settings_);
  empty_ = new QLabel(this);
  empty_->setWordWrap(true);
  empty_->setAlignment(Qt::AlignTop);
  setRole(empty_, "quiet");
  column->addWidget(empty_, 1);
  grid_ = new QTableWidget(this);
  grid_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  grid_->setTabKeyNavigation(false);
  grid_->verticalHeader()->hide();
  grid_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  grid_->setMinimumHeight(180);
  column->addWidget(grid_, 1);
  hint_ = new QLabel(this);
  hint_->setWordWrap(true);
  setRole(hint_, "small");
  column->addWidget(hint_);
  whenTranslated(this, [this] { retranslate(); });
}

void TablePreview::retranslate() {
  separatorLabel_->setText(tr("Separator"));
  encodingLabel_->setText(tr("Encoding"));
  decimalLabel_->setText(tr("Decimal sign"));
  headerLabel_->setText(tr("First row"));
  const auto automatic = [this](const QString& found) { return found.isEmpty() ? tr("Automatic") : tr("Automatic: %1").arg(found); };
  const auto named = [](const QString& s) {
    return s == u"," ? tr("comma") : s == u";" ? tr("semicolon") : s == u"\t" ? tr("tab") : s == u"|" ? tr("bar") : s;
  };
  for (int i = 1; i < separator_->count(); ++i) separator_->setItemText(i, named(separator_->itemData(i).toString()));
  separator_->setItemText(0, automatic(named(head_.value("separator").toString())));
  encoding_->setItemText(0, automatic(head_.value("encoding").toString()));
  decimal_->setItemText(0, automatic(head_.value("decimal").toString()));
  header_->setItemText(0, head_.isEmpty() ? automatic({}) : automatic(head_.value("header").toBool() ? tr("names") : tr("data")));
  header_->setItemText(1, tr("Column names"));
  header_->setItemText(2, tr("Data"));
  separator_->setAccessibleName(tr("Separator"));
  encoding_->setAccessibleName(tr("Encoding"));
  decimal_->setAccessibleName(tr("Decimal sign"));
  header_->setAccessibleName(tr("First row"));
  grid_->setAccessibleName(tr("Preview of the table"));
  empty_->setText(
      tr("A table names each image and gives it a label, a patient or a site, one row an image. Drop a CSV file anywhere on this sheet. "
         "Without a table, labels come from the folder names, or you set them afterwards."));
  hint_->setText(
      tr("Give each column a role. The key is the file name, its path or the SOPInstanceUID; the group keeps the images of one "
         "patient on one side of the split."));
  fillRoles();
  showBody();
}

// Without a table there is nothing to set: only a line says what a table may hold.
void TablePreview::showBody() {
  const bool any = !file_.isEmpty();
  settings_->setVisible(any);
  grid_->setVisible(any);
  empty_->setVisible(!any);
  hint_->setVisible(any);
}

void TablePreview::setFile(const QString& path) {
  if (path == file_) return;
  file_ = path;
  head_ = {};
  names_.clear();
  roles_.clear();
  grid_->clear();
  grid_->setRowCount(0);
  grid_->setColumnCount(0);
  if (QFile::exists(path)) read();
  showBody();
  Q_EMIT changed();
}

QJsonObject TablePreview::format() const {
  QJsonObject o;
  if (!separator_->currentData().toString().isEmpty()) o["separator"] = separator_->currentData().toString();
  if (!encoding_->currentData().toString().isEmpty()) o["encoding"] = encoding_->currentData().toString();
  if (!decimal_->currentData().toString().isEmpty()) o["decimal"] = decimal_->currentData().toString();
  if (header_->currentIndex() > 0) o["header"] = header_->currentData().toBool();
  return o;
}

void TablePreview::read() {
  if (file_.isEmpty()) return;
  QJsonObject request = format();
  request["file"] = file_;
  request["maxRows"] = kRows;
  task_->start("table", request, [this](const Result<QJsonObject>& done) {
    if (!done) {
      Q_EMIT failed(done.error());
      return;
    }
    show_(task_->outFile());
  });
}

void TablePreview::show_(const QString& path) {
  store_.background([path] { return readPreview(path); }, this,
                    [this](const Preview& p) {
                      head_ = p.head;
                      QStringList names;
                      for (const QJsonValue& v : head_.value("columns").toArray()) names << v.toObject()["name"].toString();
                      if (names != names_) {
                        names_ = names;
                        roles_.clear();
                        for (const QString& name : names_) roles_ << guess(name, roles_);
                      }
                      grid_->clear();
                      grid_->setColumnCount(int(names_.size()));
                      grid_->setRowCount(int(p.rows.size()) + 1);
                      grid_->setHorizontalHeaderLabels(names_);
                      for (int r = 0; r < p.rows.size(); ++r)
                        for (int c = 0; c < p.rows[r].size() && c < names_.size(); ++c)
                          grid_->setItem(r + 1, c, new QTableWidgetItem(p.rows[r][c]));
                      retranslate();
                      grid_->resizeColumnsToContents();
                      for (int c = 0; c < names_.size(); ++c) grid_->setColumnWidth(c, std::clamp(grid_->columnWidth(c), 120, 260));
                      grid_->resizeRowToContents(0);
                      Q_EMIT changed();
                    });
}

void TablePreview::fillRoles() {
  const QMap<QString, QString> words{
      {"ignore", tr("Ignore")}, {"key", tr("Key")}, {"label", tr("Label")}, {"group", tr("Group (patient)")}, {"site", tr("Site")}};
  for (int c = 0; c < names_.size(); ++c) {
    auto* box = qobject_cast<QComboBox*>(grid_->cellWidget(0, c));
    if (!box) {
      box = new QComboBox(grid_);
      for (const QString& role : kRoles) box->addItem(QString(), role);
      box->setCurrentIndex(int(kRoles.indexOf(roles_[c])));
      grid_->setCellWidget(0, c, box);
      connect(box, &QComboBox::activated, this, [this, c, box] {
        const QString role = box->currentData().toString();
        for (int other = 0; other < roles_.size(); ++other)  // a role belongs to one column
          if (other != c && role != u"ignore" && roles_[other] == role) {
            roles_[other] = QStringLiteral("ignore");
            static_cast<QComboBox*>(grid_->cellWidget(0, other))->setCurrentIndex(0);
          }
        roles_[c] = role;
        Q_EMIT changed();
      });
    }
    for (int i = 0; i < kRoles.size(); ++i) box->setItemText(i, words[kRoles[i]]);
    box->setAccessibleName(tr("Role of the column %1").arg(names_[c]));
  }
}

QString TablePreview::guess(const QString& name, const QStringList& taken) {
  static const QMap<QString, QStringList> usual{
      {"key", {"file", "filename", "file_name", "image", "image_id", "path", "key", "sopinstanceuid", "name"}},
      {"label", {"label", "class", "category", "diagnosis", "finding", "target", "标签", "标注", "诊断"}},
      {"group", {"patient", "patient_id", "patientid", "subject", "subject_id", "group", "case", "患者", "病人"}},
      {"site", {"site", "hospital", "institution", "institutionname", "center", "centre", "医院", "机构"}}};
  for (auto it = usual.begin(); it != usual.end(); ++it)
    if (!taken.contains(it.key()) && it->contains(name.toLower())) return it.key();
  return QStringLiteral("ignore");
}

QString TablePreview::column(const QString& role) const {
  const qsizetype at = roles_.indexOf(role);
  return at < 0 ? QString() : names_.value(at);
}

bool TablePreview::usable() const {
  return !column("key").isEmpty() && (!column("label").isEmpty() || !column("group").isEmpty() || !column("site").isEmpty());
}

}  // namespace cloister
