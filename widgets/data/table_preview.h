// A label table before it is used: the first rows as a grid with a role for each column, and separator, encoding, decimal sign and header
// as detected or chosen. Read by cloister-ingest (a child). Main thread.
#pragma once
#include <QFrame>
#include <QJsonObject>

class QComboBox;
class QLabel;
class QTableWidget;

namespace cloister {

class IngestTask;
class StoreClient;
struct Failure;

class TablePreview : public QFrame {
  Q_OBJECT
 public:
  explicit TablePreview(StoreClient& store, QWidget* parent = nullptr);
  void setFile(const QString& path);
  /// Name of the column with that role (key, label, group, site); empty: none.
  QString column(const QString& role) const;
  /// separator, encoding, decimal, header as chosen; what is left to detection is absent.
  QJsonObject format() const;
  /// At least a key and one column to take over.
  bool usable() const;

 Q_SIGNALS:
  void changed();
  void failed(cloister::Failure);

 private:
  void read();
  void show_(const QString& file);
  void fillRoles();
  void showBody();
  void retranslate();
  static QString guess(const QString& name, const QStringList& taken);

  IngestTask* task_;
  StoreClient& store_;
  QString file_;
  QJsonObject head_;
  QStringList names_, roles_;
  QLabel *separatorLabel_, *encodingLabel_, *decimalLabel_, *headerLabel_, *hint_, *empty_;
  QWidget* settings_;
  QComboBox *separator_, *encoding_, *decimal_, *header_;
  QTableWidget* grid_;
};

}  // namespace cloister
