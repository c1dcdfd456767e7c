#include "widgets/text/tokenizer_view.h"

#include <algorithm>

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFrame>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSignalBlocker>
#include <QStackedLayout>
#include <QTableWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "widgets/common/language.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/store_client.h"
#include "widgets/common/table.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/data/ingest_task.h"
#include "widgets/text/piece_view.h"

namespace cloister {
namespace {

constexpr int kLaterMs = 300;
constexpr int kMostRows = 1000;
constexpr int kAboutWidth = 300;
const QString kFolder = QStringLiteral(
    "\x01"
    "folder");

}  // namespace

TokenizerView::TokenizerView(StoreClient& store, QWidget* parent) : QWidget(parent), store_(store), task_(new IngestTask(store, this)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kM);
  auto* top = new QHBoxLayout;
  top->setSpacing(space::kS);
  boxLabel_ = new QLabel(this);
  box_ = new QComboBox(this);
  box_->setMinimumWidth(240);
  boxLabel_->setBuddy(box_);
  asTable_ = new QToolButton(this);
  asTable_->setCheckable(true);
  top->addWidget(boxLabel_);
  top->addWidget(box_);
  top->addStretch(1);
  top->addWidget(asTable_);
  column->addLayout(top);
  empty_ = new QLabel(this);
  empty_->setWordWrap(true);
  setRole(empty_, "quiet");
  column->addWidget(empty_);
  body_ = new QWidget(this);
  auto* row = new QHBoxLayout(body_);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(space::kL);
  row->addWidget(buildCut(), 1);
  row->addWidget(buildAbout());
  column->addWidget(body_, 1);
  later_.setSingleShot(true);
  later_.setInterval(kLaterMs);
  connect(&later_, &QTimer::timeout, this, &TokenizerView::ask);
  connect(box_, &QComboBox::currentIndexChanged, this, [this] {
    const QString id = box_->currentData().toString();
    if (id == kFolder) {
      const QSignalBlocker quiet(box_);
      box_->setCurrentIndex(box_->findData(chosen_));
      return chooseFolder();
    }
    chosen_ = id;
    ask();
  });
  connect(asTable_, &QToolButton::toggled, this, [this](bool table) {
    stack_->setCurrentIndex(table ? 1 : 0);
    if (table) fillTable();
  });
  whenTranslated(this, [this] { retranslate(); });
}

QWidget* TokenizerView::buildCut() {
  auto* box = new QWidget(this);
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(space::kS);
  textLabel_ = new QLabel(box);
  text_ = new QPlainTextEdit(box);
  text_->setTabChangesFocus(true);
  textLabel_->setBuddy(text_);
  auto* line = new QHBoxLayout;
  line->setSpacing(space::kS);
  fileLabel_ = new QLabel(box);
  file_ = new PathEdit(PathEdit::Kind::OpenFile, box);
  fileLabel_->setBuddy(file_);
  line->addWidget(fileLabel_);
  line->addWidget(file_, 1);
  counts_ = new QLabel(box);
  counts_->setWordWrap(true);
  setRole(counts_, "strong");
  auto* holder = new QWidget(box);
  stack_ = new QStackedLayout(holder);
  pieces_ = new PieceView(holder);
  table_ = new QTableWidget(0, 4, holder);
  prepareTable(table_);
  stack_->addWidget(pieces_);
  stack_->addWidget(table_);
  column->addWidget(textLabel_);
  column->addWidget(text_);
  column->addLayout(line);
  column->addSpacing(space::kXs);
  column->addWidget(counts_);
  column->addWidget(holder, 1);
  connect(text_, &QPlainTextEdit::textChanged, &later_, QOverload<>::of(&QTimer::start));
  connect(file_, &PathEdit::changed, this, [this] {
    text_->setEnabled(file_->path().isEmpty());
    later_.start();
  });
  whenThemed(this, [this] { text_->setFixedHeight(4 * text_->fontMetrics().lineSpacing() + space::kL); });
  return box;
}

QWidget* TokenizerView::buildAbout() {
  auto* card = new QFrame(this);
  setRole(card, "card");
  card->setFixedWidth(kAboutWidth);
  auto* column = new QVBoxLayout(card);
  column->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
  column->setSpacing(space::kS);
  aboutTitle_ = new QLabel(card);
  setRole(aboutTitle_, "strong");
  about_ = new QLabel(card);
  about_->setWordWrap(true);
  about_->setTextFormat(Qt::PlainText);
  about_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  specialTitle_ = new QLabel(card);
  setRole(specialTitle_, "strong");
  special_ = new QTableWidget(0, 2, card);
  prepareTable(special_);
  column->addWidget(aboutTitle_);
  column->addWidget(about_);
  column->addSpacing(space::kXs);
  column->addWidget(specialTitle_);
  column->addWidget(special_, 1);
  return card;
}

void TokenizerView::setTokenizers(const QList<QPair<QString, QString>>& tokenizers) {
  const QSignalBlocker quiet(box_);
  const QString before = chosen_;
  box_->clear();
  for (const auto& [name, folder] : tokenizers) box_->addItem(name, folder);
  if (!before.isEmpty() && box_->findData(before) < 0 && QFileInfo::exists(before)) box_->addItem(QFileInfo(before).fileName(), before);
  const int at = std::max(0, box_->findData(before));
  if (box_->count() > 0) box_->insertSeparator(box_->count());
  box_->addItem(tr("Choose a folder…"), kFolder);
  const bool any = box_->count() > 1;
  box_->setCurrentIndex(any ? at : -1);
  chosen_ = any ? box_->currentData().toString() : QString();
  empty_->setVisible(!any);
  body_->setVisible(any);
  asTable_->setVisible(any);
  if (chosen_ != before || answer_.isEmpty()) ask();
}

void TokenizerView::show_(const QString& folder) {
  if (const int i = box_->findData(folder); i >= 0) box_->setCurrentIndex(i);
}

void TokenizerView::setText(const QString& text) {
  text_->setPlainText(text);
  ask();
}

void TokenizerView::chooseFolder() {
  auto* dialog = new QFileDialog(window(), tr("Choose the folder of a tokenizer"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setFileMode(QFileDialog::Directory);
  dialog->setOption(QFileDialog::ShowDirsOnly);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& dir) {
    if (box_->findData(dir) < 0) box_->insertItem(0, QFileInfo(dir).fileName(), dir);
    empty_->hide();
    body_->show();
    asTable_->show();
    box_->setCurrentIndex(box_->findData(dir));
  });
  dialog->open();
}

void TokenizerView::ask() {
  later_.stop();
  if (chosen_.isEmpty()) return;
  QJsonObject request{{"action", "inspect"}, {"tokenizer", chosen_}, {"special", true}};
  if (file_->path().isEmpty()) request["text"] = text_->toPlainText();
  else request["file"] = file_->path();
  task_->start(QStringLiteral("tokenizer"), request, [this](const Result<QJsonObject>& answer) {
    answer_ = answer ? *answer : QJsonObject();
    showAnswer();
    if (!answer) Q_EMIT failed(answer.error());
  });
}

void TokenizerView::showAnswer() {
  const QJsonArray pieces = answer_["pieces"].toArray();
  pieces_->setPieces(pieces);
  if (asTable_->isChecked()) fillTable();
  const qint64 tokens = answer_["tokens"].toInteger(), bytes = answer_["bytes"].toInteger();
  QStringList counts;
  if (tokens > 0) {
    counts << words::counted(tokens, words::Noun::Token);
    if (file_->path().isEmpty()) {
      const qint64 characters = text_->toPlainText().toUcs4().size();
      counts << tr("%Ln character(s)", nullptr, int(characters)) << words::bytes(double(bytes))
             << tr("%1 characters per token").arg(words::figures(double(characters) / double(tokens)));
    } else {
      counts << words::bytes(double(bytes)) << tr("%1 bytes per token").arg(words::figures(double(bytes) / double(tokens)));
    }
    if (pieces.size() > PieceView::kMostShown) counts << tr("the first %1 are shown").arg(words::number(PieceView::kMostShown));
  }
  counts_->setText(counts.join(QStringLiteral(" · ")));
  const QString form = answer_["chatForm"].toString();
  QStringList about{
      tr("Kind: %1, %2").arg(PieceView::kindName(answer_["kind"].toString()), PieceView::kindName(answer_["model"].toString())),
      tr("Vocabulary: %1 pieces").arg(words::number(answer_["vocabularySize"].toInteger()))};
  if (!form.isEmpty())
    about << (answer_["chatTemplate"].toBool() ? tr("Chat template: %1").arg(form) : tr("Chat template: %1, as it names none").arg(form));
  about_->setText(answer_.isEmpty() ? QString() : about.join('\n'));
  const QJsonArray specials = answer_["specialTokens"].toArray();
  special_->setRowCount(int(std::min<qsizetype>(specials.size(), kMostRows)));
  for (int i = 0; i < special_->rowCount(); ++i) {
    special_->setItem(i, 0, tableCell(specials[i]["piece"].toString()));
    special_->setItem(i, 1, tableCell(QString::number(specials[i]["id"].toInteger()), true));
  }
  special_->resizeColumnsToContents();
}

void TokenizerView::fillTable() {
  const QJsonArray pieces = answer_["pieces"].toArray();
  table_->setRowCount(int(std::min<qsizetype>(pieces.size(), kMostRows)));
  for (int i = 0; i < table_->rowCount(); ++i) {
    const QJsonObject p = pieces[i].toObject();
    QString text = PieceView::shown(pieces, i);
    table_->setItem(i, 0, tableCell(text.remove('\n')));
    table_->setItem(i, 1, tableCell(p["piece"].toString()));
    table_->setItem(i, 2, tableCell(QString::number(p["id"].toInteger()), true));
    table_->setItem(i, 3, tableCell(PieceView::bytes(p)));
  }
  table_->resizeColumnsToContents();
}

void TokenizerView::retranslate() {
  boxLabel_->setText(tr("Tokenizer"));
  box_->setAccessibleName(tr("Tokenizer"));
  if (const int i = box_->findData(kFolder); i >= 0) box_->setItemText(i, tr("Choose a folder…"));
  asTable_->setText(tr("As a table"));
  asTable_->setAccessibleName(asTable_->text());
  empty_->setText(
      tr("There is no tokenizer yet. A tokenizer cuts texts into the pieces a model reads: words, parts of words, bytes. It comes with "
         "an imported model, or you train one on your own texts."));
  textLabel_->setText(tr("Text"));
  text_->setAccessibleName(tr("Text to cut"));
  text_->setPlaceholderText(tr("Type or paste a text: its pieces appear below."));
  fileLabel_->setText(tr("Or a file"));
  file_->setName(tr("Text file to cut"));
  pieces_->setAccessibleName(tr("Pieces of the text"));
  table_->setAccessibleName(tr("Pieces of the text as a table"));
  table_->setHorizontalHeaderLabels({tr("Text"), tr("Piece"), tr("Number"), tr("Bytes")});
  headRight(table_, 2);
  aboutTitle_->setText(tr("This tokenizer"));
  specialTitle_->setText(tr("Special tokens"));
  special_->setAccessibleName(tr("Special tokens"));
  special_->setHorizontalHeaderLabels({tr("Piece"), tr("Number")});
  headRight(special_, 1);
  showAnswer();
}

}  // namespace cloister
