#include "http_reply.h"

#include <Poco/Exception.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/String.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace tokensync {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kVersion = "HTTP/1.";
constexpr std::size_t kChunkLineBytesMax = 1024;

std::optional<std::uint64_t> WholeNumber(std::string_view text, int base) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number, base);
  if (text.empty() || failure != std::errc() || stop != end) return std::nullopt;
  return number;
}

struct StatusLine {
  bool is_http_1_1 = false;
  int status = 0;
};

// Poco's HTTPResponse keeps a status in an enumeration whose type does not hold all of them, 529 for one.
std::optional<StatusLine> ReadStatusLine(std::string_view line) {
  constexpr std::size_t kMinorAt = kVersion.size();
  constexpr std::size_t kStatusAt = kMinorAt + 2;
  constexpr std::size_t kStatusDigits = 3;
  const bool has_reason = line.size() > kStatusAt + kStatusDigits;
  if (line.size() < kStatusAt + kStatusDigits || line[kMinorAt] < '0' || line[kMinorAt] > '9' ||
      line[kMinorAt + 1] != ' ' || (has_reason && line[kStatusAt + kStatusDigits] != ' ')) {
    return std::nullopt;
  }
  const auto status = WholeNumber(line.substr(kStatusAt, kStatusDigits), 10);
  if (!status) return std::nullopt;
  return StatusLine{line[kMinorAt] == '1', static_cast<int>(*status)};
}

}  // namespace

const std::string* HttpReply::Header(std::string_view lower_case_name) const {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& header) { return header.first == lower_case_name; });
  return found == headers.end() ? nullptr : &found->second;
}

std::optional<HttpReply> ReplyReader::TakeReply() {
  if (!has_head_) return std::nullopt;
  reply_.body_complete = state_ == State::kComplete;
  has_head_ = false;
  return std::move(reply_);
}

ReplyReader::State ReplyReader::Fail(std::string why) {
  fault_ = std::move(why);
  state_ = State::kUnreadable;
  return state_;
}

void ReplyReader::Complete() {
  surplus_ = !pending_.empty();
  state_ = State::kComplete;
}

ReplyReader::State ReplyReader::Feed(std::string_view bytes) {
  if (state_ != State::kMore || bytes.empty()) return state_;
  started_ = true;
  pending_.append(bytes);
  while (state_ == State::kMore) {
    const Part part_before = part_;
    const std::size_t pending_before = pending_.size();
    if (part_ == Part::kHead) {
      ReadHead();
    } else {
      ReadBodyPart();
    }
    if (part_ == part_before && pending_.size() == pending_before) break;
  }
  return state_;
}

ReplyReader::State ReplyReader::End() {
  if (state_ != State::kMore) return state_;
  if (part_ == Part::kUntilClose) {
    Complete();
    return state_;
  }
  if (!started_) return Fail("the connection was closed without a reply");
  return Fail(has_head_ ? "the connection was closed before the end of the reply's body"
                        : "the connection was closed within the reply's head");
}

void ReplyReader::ReadHead() {
  const std::size_t known = std::min(pending_.size(), kVersion.size());
  if (std::string_view(pending_).substr(0, known) != kVersion.substr(0, known)) {
    Fail("the reply is not HTTP/1.x");
    return;
  }
  const std::size_t end = pending_.find(kHeadEnd);
  const std::size_t bytes = end == std::string::npos ? pending_.size() : end + kHeadEnd.size();
  if (head_bytes_ + bytes > limits_.head_bytes_max) {
    Fail(fmt::format("the reply's head is longer than {} bytes", limits_.head_bytes_max));
    return;
  }
  if (end == std::string::npos) return;

  const std::string head = pending_.substr(0, bytes);
  pending_.erase(0, bytes);
  head_bytes_ += head.size();
  const std::size_t line_end = head.find("\r\n");
  const std::optional<StatusLine> line = ReadStatusLine(std::string_view(head).substr(0, line_end));
  if (!line) {
    Fail("the reply's status line cannot be read");
    return;
  }
  if (line->status < 100 || line->status == 101) {
    Fail(fmt::format("the reply's status {} makes no sense", line->status));
    return;
  }
  Poco::Net::MessageHeader header;
  header.setFieldLimit(limits_.headers_max);
  try {
    std::istringstream stream(head.substr(line_end + 2));
    header.read(stream);
  } catch (const Poco::Exception& error) {
    Fail("the reply's head cannot be read: " + error.displayText());
    return;
  }
  if (line->status < 200) return;

  reply_.status = line->status;
  for (const auto& [name, value] : header) reply_.headers.emplace_back(Poco::toLower(name), value);
  has_head_ = true;
  const std::string* connection = reply_.Header("connection");
  keeps_alive_ = line->is_http_1_1 && (connection == nullptr || Poco::icompare(*connection, "close") != 0);
  ReadKeepAlive();
  ReadFraming();
}

void ReplyReader::ReadFraming() {
  const std::string* encoding = reply_.Header("transfer-encoding");
  const std::string* length = reply_.Header("content-length");
  const auto lengths = std::count_if(reply_.headers.begin(), reply_.headers.end(),
                                     [](const auto& header) { return header.first == "content-length"; });
  if (reply_.status == 204 || reply_.status == 304) {
    Complete();
  } else if (encoding != nullptr) {
    if (Poco::icompare(*encoding, "chunked") != 0 || length != nullptr) {
      Fail("the reply does not say clearly where its body ends");
      return;
    }
    part_ = Part::kChunkSize;
  } else if (length != nullptr) {
    const auto bytes = WholeNumber(*length, 10);
    if (!bytes || lengths != 1) {
      Fail("the reply does not say clearly where its body ends");
      return;
    }
    if (BodyExceeds(*bytes)) return;
    left_ = *bytes;
    part_ = Part::kSized;
    if (left_ == 0) Complete();
  } else {
    keeps_alive_ = false;
    part_ = Part::kUntilClose;
  }
}

void ReplyReader::ReadKeepAlive() {
  constexpr std::string_view kTimeout = "timeout=";
  constexpr std::uint64_t kSecondsMax = std::uint64_t{24} * 60 * 60;
  const std::string* header = reply_.Header("keep-alive");
  if (header == nullptr) return;
  const std::size_t at = header->find(kTimeout);
  if (at == std::string::npos) return;
  const std::string_view rest = std::string_view(*header).substr(at + kTimeout.size());
  const auto seconds = WholeNumber(rest.substr(0, rest.find_first_not_of("0123456789")), 10);
  if (seconds) keep_alive_ = std::chrono::seconds(std::min(*seconds, kSecondsMax));
}

bool ReplyReader::BodyExceeds(std::uint64_t more) {
  if (more <= limits_.body_bytes_max && reply_.body.size() <= limits_.body_bytes_max - more) return false;
  Fail(fmt::format("the reply's body is longer than {} bytes", limits_.body_bytes_max));
  return true;
}

bool ReplyReader::TakeLine(std::string& line) {
  const std::size_t end = pending_.find("\r\n");
  if ((end == std::string::npos ? pending_.size() : end + 2) > kChunkLineBytesMax) {
    Fail("the reply's chunks cannot be read");
    return false;
  }
  if (end == std::string::npos) return false;
  line = pending_.substr(0, end);
  pending_.erase(0, end + 2);
  return true;
}

void ReplyReader::ReadBodyPart() {
  std::string line;
  switch (part_) {
    case Part::kHead:
      return;
    case Part::kUntilClose: {
      // As much as is kept of it does not depend on the pieces in which it came.
      const std::string more = std::exchange(pending_, {});
      BodyExceeds(more.size());
      reply_.body.append(more, 0, static_cast<std::size_t>(limits_.body_bytes_max - reply_.body.size()));
      return;
    }
    case Part::kSized:
    case Part::kChunkData: {
      const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, pending_.size()));
      reply_.body.append(pending_, 0, taken);
      pending_.erase(0, taken);
      left_ -= taken;
      if (left_ != 0) return;
      if (part_ == Part::kSized) {
        Complete();
      } else {
        part_ = Part::kChunkEnd;
      }
      return;
    }
    case Part::kChunkSize: {
      if (!TakeLine(line)) return;
      // What follows the size is an extension that nobody uses; its bytes count, so that they end.
      head_bytes_ += line.size();
      const std::string_view size = std::string_view(line).substr(0, line.find_first_of("; \t"));
      const auto bytes = WholeNumber(size, 16);
      if (!bytes || head_bytes_ > limits_.head_bytes_max) {
        Fail("the reply's chunks cannot be read");
        return;
      }
      if (BodyExceeds(*bytes)) return;
      left_ = *bytes;
      part_ = left_ == 0 ? Part::kTrailers : Part::kChunkData;
      return;
    }
    case Part::kChunkEnd:
      if (!TakeLine(line)) return;
      if (!line.empty()) {
        Fail("the reply's chunks cannot be read");
        return;
      }
      part_ = Part::kChunkSize;
      return;
    case Part::kTrailers:
      if (!TakeLine(line)) return;
      head_bytes_ += line.size();
      if (head_bytes_ > limits_.head_bytes_max) {
        Fail("the reply's trailers are too long");
      } else if (line.empty()) {
        Complete();
      }
      return;
  }
}

}  // namespace tokensync
