#include "history_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "json_parts.h"
#include "paint.h"
#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

constexpr std::size_t kGap = 2;
/// Where a record goes on that does not fit on one line.
constexpr std::size_t kIndent = 4;

/// A column. What is longer moves the rest of its line, but for columns that may be cut.
struct Column {
  std::string_view name;
  std::size_t columns;
  bool cut;
};
constexpr std::array kColumns = {Column{"TIME", 24, false},  Column{"PASS", 5, false},  Column{"COMMIT", 8, false},
                                 Column{"AUTHOR", 14, true}, Column{"KEY", 20, false},  Column{"ACTION", 7, false},
                                 Column{"EVENT", 20, false}, Column{"TRY", 3, false},   Column{"HTTP", 4, false},
                                 Column{"WHERE", 28, false}, Column{"DETAIL", 0, false}};
constexpr std::size_t kEvent = 6;
constexpr std::size_t kDetail = kColumns.size() - 1;

using Cells = std::array<std::string, kColumns.size()>;

/// Lines that are filled from the left.
class Lines {
 public:
  explicit Lines(std::size_t width) : width_(width) {}

  /// `text` takes up `columns`, whatever escapes it holds, and at least `room`; on a new line where that does not fit
  /// on this one. Room that is left empty does not end a line as spaces.
  void Add(std::string_view text, std::size_t columns, std::size_t room, std::size_t gap) {
    if (width_ > 0 && used_ > kIndent && used_ + gap + std::max(columns, room) > width_) {
      text_ += '\n';
      text_.append(kIndent, ' ');
      used_ = kIndent;
      owed_ = 0;
    } else if (used_ > 0 && used_ != kIndent) {
      owed_ += gap;
      used_ += gap;
    }
    if (!text.empty()) {
      text_.append(owed_, ' ');
      text_ += text;
      owed_ = 0;
    }
    owed_ += std::max(columns, room) - columns;
    used_ += std::max(columns, room);
  }

  std::size_t width() const { return width_; }
  std::string Take() { return std::move(text_) + '\n'; }

 private:
  std::size_t width_;
  std::string text_;
  std::size_t used_ = 0;
  std::size_t owed_ = 0;
};

void AddCell(Lines& lines, const Column& column, std::string_view printable, Ink ink, const Terminal& terminal) {
  const std::string text = column.cut ? CutToColumns(printable, column.columns) : std::string(printable);
  lines.Add(Painted(terminal, ink, text), ColumnsOf(text), column.columns, kGap);
}

/// Words as they fit; one that is longer than a line is taken apart.
void AddWords(Lines& lines, std::string_view printable) {
  std::size_t gap = kGap;
  while (!printable.empty()) {
    const std::string_view word = printable.substr(0, printable.find(' '));
    printable.remove_prefix(std::min(word.size() + 1, printable.size()));
    std::string_view rest = word;
    const std::size_t room = lines.width() > kIndent ? lines.width() - kIndent : 0;
    while (room > 0 && ColumnsOf(rest) > room) {
      std::size_t piece = 0;
      std::size_t used = 0;
      while (piece < rest.size()) {
        const std::size_t length = CodePointAt(rest, piece).length;
        const std::size_t columns = ColumnsOf(rest.substr(piece, length));
        if (used + columns > room) break;
        used += columns;
        piece += length;
      }
      lines.Add(rest.substr(0, piece), used, 0, gap);
      rest.remove_prefix(piece);
    }
    if (!rest.empty()) lines.Add(rest, ColumnsOf(rest), 0, gap);
    gap = 1;
  }
}

std::string AuthorName(std::string_view author) {
  const std::size_t mail = author.find(" <");
  return PrintableText(author.substr(0, mail == 0 ? author.size() : mail));
}

std::string SignedBy(std::string_view signer) {
  return "signed by " + PrintableText(signer);
}

/// What the service said, and what else is to be known.
std::string DetailText(const LogRecord& record) {
  const ServiceAnswer& answer = record.answer;
  std::vector<std::string> parts;
  std::string error = PrintableText(answer.error_name);
  if (answer.error_code) error += fmt::format("{}({})", error.empty() ? "" : " ", *answer.error_code);
  for (const std::string& part : {error, PrintableText(answer.message), PrintableText(answer.cause)}) {
    if (!part.empty()) parts.push_back(part);
  }
  std::string text = fmt::format("{}", fmt::join(parts, ": "));
  if (!record.detail.empty()) text += (text.empty() ? "" : "; ") + PrintableText(record.detail);
  if (!record.signer.empty()) text += (text.empty() ? "" : "; ") + SignedBy(record.signer);
  return text;
}

std::string DetailText(const Notice& notice) {
  std::string text = PrintableText(notice.detail);
  if (!notice.actor.empty()) text += (text.empty() ? "by " : "; by ") + PrintableText(notice.actor);
  if (!notice.signer.empty()) text += (text.empty() ? "" : "; ") + SignedBy(notice.signer);
  return text;
}

Ink InkOf(std::string_view event) {
  if (event == "token-created" || event == "token-assumed-ours" || event == "read-equal" || event == "drift-settled") {
    return Ink::kGreen;
  }
  if (event == "head-refused" || event == "plan-held") return Ink::kRed;
  if (event == "plan-approved") return Ink::kGreen;
  if (event == "create-refused" || event == "read-different" || event == "existence-unreadable") return Ink::kRed;
  if (event == "create-intended" || event == "conflict-reopened") return Ink::kDim;
  return Ink::kYellow;
}

Cells CellsOf(const HistoryRow& row) {
  const LogRecord& record = row.record;
  Cells cells;
  std::size_t at = 0;
  cells[at++] = FormatTime(record.time);
  cells[at++] = fmt::format("{:>5}", record.pass);
  cells[at++] = record.commit ? ShortHex(record.commit->id.hex) : "-";
  cells[at++] = record.commit ? AuthorName(record.commit->author) : "-";
  cells[at++] = record.key.Text();
  cells[at++] = PrintableText(record.action);
  cells[at++] = PrintableText(row.event);
  cells[at++] = record.attempt > 0 ? fmt::format("#{}", record.attempt) : "";
  cells[at++] = record.answer.http_status ? std::to_string(*record.answer.http_status) : "";
  cells[at++] = record.path.empty() ? "" : fmt::format("{}:{}", PrintableText(record.path), record.line);
  cells[at++] = DetailText(record);
  return cells;
}

Cells CellsOf(const HistoryNotice& row) {
  const Notice& notice = row.notice;
  Cells cells;
  std::size_t at = 0;
  cells[at++] = FormatTime(notice.time);
  cells[at++] = notice.pass > 0 ? fmt::format("{:>5}", notice.pass) : fmt::format("{:>5}", "-");
  cells[at++] = notice.commit ? ShortHex(notice.commit->id.hex) : "-";
  cells[at++] = notice.commit && !notice.commit->author.empty() ? AuthorName(notice.commit->author) : "-";
  cells[at++] = "-";
  cells[at++] = PrintableText(row.action);
  cells[kEvent] = NoticeName(notice.kind);
  cells[kDetail] = DetailText(notice);
  return cells;
}

std::string LinesOf(const Cells& cells, Ink event_ink, const Terminal& terminal) {
  Lines lines(terminal.IsTerminal() ? static_cast<std::size_t>(terminal.columns) : 0);
  for (std::size_t at = 0; at < kDetail; ++at) {
    AddCell(lines, kColumns[at], cells[at], at == kEvent ? event_ink : Ink::kPlain, terminal);
  }
  AddWords(lines, cells[kDetail]);
  return lines.Take();
}

}  // namespace

std::string HistoryHeader(const Terminal& terminal) {
  Cells names;
  for (std::size_t at = 0; at < kColumns.size(); ++at) names[at] = kColumns[at].name;
  return LinesOf(names, Ink::kPlain, terminal);
}

std::string HistoryLine(const HistoryRow& row, const Terminal& terminal) {
  return LinesOf(CellsOf(row), InkOf(row.event), terminal);
}

std::string HistoryLine(const HistoryNotice& row, const Terminal& terminal) {
  return LinesOf(CellsOf(row), InkOf(NoticeName(row.notice.kind)), terminal);
}

JsonValue HistoryJson(const HistoryRow& row) {
  const LogRecord& record = row.record;
  const ServiceAnswer& answer = record.answer;
  const auto number = [](const std::optional<int>& value) { return value ? JsonValue(*value) : JsonValue(); };
  const Commit* commit = record.commit.get();
  return JsonObject{{"seq", JsonNumber(row.seq)},
                    {"time", FormatTime(record.time)},
                    {"pass", JsonNumber(record.pass)},
                    {"commit", commit != nullptr ? JsonText(commit->id.hex) : JsonValue()},
                    {"author", commit != nullptr ? JsonText(commit->author) : JsonValue()},
                    {"subject", commit != nullptr ? JsonText(commit->subject) : JsonValue()},
                    {"path", JsonText(record.path)},
                    {"line", record.path.empty() ? JsonValue() : JsonNumber(record.line)},
                    {"key", record.key.Text()},
                    {"action", JsonText(record.action)},
                    {"event", JsonText(row.event)},
                    {"state", JsonText(row.state)},
                    {"attempt", JsonNumber(record.attempt)},
                    {"digest", JsonDigest(record.digest)},
                    {"other_digest", JsonDigest(record.other_digest)},
                    {"http_status", number(answer.http_status)},
                    {"error_name", JsonText(answer.error_name)},
                    {"error_code", number(answer.error_code)},
                    {"message", JsonText(answer.message)},
                    {"cause", JsonText(answer.cause)},
                    {"duration_ms", JsonNumber(static_cast<std::uint64_t>(record.duration.count()))},
                    {"detail", JsonText(record.detail)},
                    {"signer", JsonText(record.signer)},
                    {"actor", nullptr},
                    {"hash", JsonText(row.hash)}};
}

JsonValue HistoryJson(const HistoryNotice& row) {
  const Notice& notice = row.notice;
  const Commit* commit = notice.commit.get();
  JsonObject members{{"seq", JsonNumber(row.seq)},
                     {"time", FormatTime(notice.time)},
                     {"pass", notice.pass > 0 ? JsonNumber(notice.pass) : JsonValue()},
                     {"commit", commit != nullptr ? JsonText(commit->id.hex) : JsonValue()},
                     {"author", commit != nullptr ? JsonText(commit->author) : JsonValue()},
                     {"subject", commit != nullptr ? JsonText(commit->subject) : JsonValue()},
                     {"action", JsonText(row.action)},
                     {"event", std::string(NoticeName(notice.kind))},
                     {"detail", JsonText(notice.detail)},
                     {"signer", JsonText(notice.signer)},
                     {"actor", JsonText(notice.actor)},
                     {"hash", JsonText(row.hash)}};
  for (const char* name : {"path", "line", "key", "state", "attempt", "digest", "other_digest", "http_status",
                           "error_name", "error_code", "message", "cause", "duration_ms"}) {
    members.emplace(name, nullptr);
  }
  return members;
}

}  // namespace tokensync
