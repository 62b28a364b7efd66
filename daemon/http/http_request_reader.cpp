#include "http_request_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace tokensync {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::size_t kMethodBytesMax = 20;
constexpr std::size_t kChunkLineBytesMax = 256;
constexpr std::size_t kDroppedBytesMax = std::size_t{64} * 1024;

bool IsTokenCharacter(char c) {
  const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_alphanumeric || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

// Of a header's value, or a line between chunks. Bytes beyond ASCII are for whoever reads the value.
bool IsFieldByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Assigning an empty string would keep the memory.
void Release(std::string& text) {
  std::string().swap(text);
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Digits alone; what exceeds the type is as good as its largest value. Nothing for any other text.
std::optional<std::uint64_t> WholeNumber(std::string_view text, int base) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number, base);
  if (text.empty() || stop != end) return std::nullopt;
  if (failure == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  return failure == std::errc() ? std::optional(number) : std::nullopt;
}

}  // namespace

void HttpRequestReader::Fail(int status, std::string why) {
  status_ = status;
  why_ = std::move(why);
  Refuse();
}

void HttpRequestReader::Refuse() {
  state_ = State::kRefused;
  Release(pending_);
  Release(request_.body);
}

HttpRequestReader::State HttpRequestReader::Feed(std::string_view bytes) {
  if (bytes.empty() || state_ == State::kComplete || state_ == State::kRefused) return state_;
  started_ = true;
  pending_.append(bytes);
  if (state_ == State::kHead) ReadHead();
  if (state_ == State::kBody) ReadBody();
  return state_;
}

// As they come, so that whoever speaks another protocol or beyond a limit is told at once.
void HttpRequestReader::CheckHeadBytes(std::size_t end) {
  for (; checked_ < end; ++checked_) {
    const char c = pending_[checked_];
    const bool follows_return = checked_ > 0 && pending_[checked_ - 1] == '\r';
    if (follows_return != (c == '\n')) return Fail(400, "a line of the request's head does not end in CR LF");
    if (c == '\n') in_request_line_ = false;
    if (c == '\n' || c == '\r') continue;
    if (!IsFieldByte(c)) return Fail(400, "the request's head holds a byte that it must not");
    if (in_request_line_ && checked_ >= limits_.request_line_bytes_max) {
      return Fail(414, fmt::format("the request line is longer than {} bytes", limits_.request_line_bytes_max));
    }
    if (checked_ >= limits_.head_bytes_max) {
      return Fail(431, fmt::format("the request's head is longer than {} bytes", limits_.head_bytes_max));
    }
  }
}

void HttpRequestReader::ReadHead() {
  const std::size_t end = pending_.find(kHeadEnd, checked_ - std::min(checked_, kHeadEnd.size() - 1));
  CheckHeadBytes(end == std::string::npos ? pending_.size() : end + kHeadEnd.size());
  if (state_ != State::kHead || end == std::string::npos) return;

  const std::string head = pending_.substr(0, end + 2);
  const std::size_t line_end = head.find("\r\n");
  Drop(end + kHeadEnd.size());
  if (!ReadRequestLine(std::string_view(head).substr(0, line_end))) return;
  for (std::size_t at = line_end + 2; at < head.size();) {
    const std::size_t next = head.find("\r\n", at);
    if (!ReadHeader(std::string_view(head).substr(at, next - at))) return;
    at = next + 2;
  }
  if (ReadFraming()) state_ = State::kHeadRead;
}

bool HttpRequestReader::ReadRequestLine(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end) {
    Fail(400, "the request line is not METHOD PATH HTTP/1.1");
    return false;
  }
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);
  is_http_1_1_ = version == "HTTP/1.1";
  if (!is_http_1_1_ && version != "HTTP/1.0") {
    Fail(400, "the request is neither HTTP/1.1 nor HTTP/1.0");
  } else if (!IsToken(method) || method.size() > kMethodBytesMax) {
    Fail(400, "the request's method is none");
  } else if (!target.starts_with('/') ||
             !std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; })) {
    Fail(400, "the request's target is no path");
  } else {
    const std::size_t mark = std::min(target.find('?'), target.size());
    request_.method = method;
    request_.path = target.substr(0, mark);
    if (mark < target.size()) request_.query = target.substr(mark + 1);
  }
  return state_ == State::kHead;
}

bool HttpRequestReader::ReadHeader(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    Fail(400, "a header is not NAME: VALUE on one line");
  } else if (request_.headers.size() >= limits_.headers_max) {
    Fail(431, fmt::format("the request has more than {} headers", limits_.headers_max));
  } else {
    request_.headers.emplace_back(LowerCase(line.substr(0, colon)), Trimmed(line.substr(colon + 1)));
  }
  return state_ == State::kHead;
}

std::size_t HttpRequestReader::CountOf(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(request_.headers.begin(), request_.headers.end(),
                                                [&](const auto& header) { return header.first == name; }));
}

bool HttpRequestReader::ReadFraming() {
  const std::string* encoding = request_.Header("transfer-encoding");
  const std::string* length = request_.Header("content-length");
  const std::string* expectation = request_.Header("expect");
  const std::size_t hosts = CountOf("host");
  chunked_ = encoding != nullptr;
  const auto bytes = length != nullptr ? WholeNumber(*length, 10) : std::optional<std::uint64_t>(0);
  if (hosts > 1 || (hosts == 0 && is_http_1_1_)) {
    Fail(400, "the request does not name one host");
  } else if (chunked_ && (length != nullptr || !is_http_1_1_ || CountOf("transfer-encoding") != 1 ||
                          LowerCase(*encoding) != "chunked")) {
    Fail(400, "the request does not say clearly where its body ends");
  } else if (CountOf("content-length") > 1 || !bytes) {
    Fail(400, "the request does not say clearly how long its body is");
  } else if (expectation != nullptr && LowerCase(*expectation) != "100-continue") {
    Fail(417, "the request expects what is not known here");
  } else {
    content_length_ = *bytes;
    expects_continue_ = expectation != nullptr && is_http_1_1_;
  }
  return state_ == State::kHead;
}

HttpRequestReader::State HttpRequestReader::Accept(std::uint64_t body_bytes_max) {
  body_bytes_max_ = body_bytes_max;
  if (content_length_ > body_bytes_max_) {
    Fail(413, fmt::format("a body has at most {} bytes here", body_bytes_max_));
    return state_;
  }
  left_ = content_length_;
  part_ = chunked_ ? Part::kChunkSize : Part::kSized;
  state_ = State::kBody;
  ReadBody();
  if (state_ == State::kComplete) expects_continue_ = false;
  return state_;
}

void HttpRequestReader::ReadBody() {
  while (state_ == State::kBody && ReadBodyPart()) {
    // Not for each chunk: they may be of one byte.
    if (taken_ > kDroppedBytesMax) {
      pending_.erase(0, taken_);
      taken_ = 0;
    }
  }
  if (state_ != State::kBody) {
    Release(pending_);
    taken_ = 0;
  } else if (taken_ == pending_.size()) {
    pending_.clear();
    taken_ = 0;
  }
}

// Whether it came any further.
bool HttpRequestReader::ReadBodyPart() {
  std::string_view line;
  switch (part_) {
    case Part::kSized:
    case Part::kChunkData: {
      const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, Rest().size()));
      request_.body.append(Rest().substr(0, bytes));
      Drop(bytes);
      left_ -= bytes;
      if (left_ != 0) return false;
      if (part_ == Part::kSized) state_ = State::kComplete;
      part_ = Part::kChunkEnd;
      return true;
    }
    case Part::kChunkSize:
      return TakeLine(line) && ReadChunkSize(line);
    case Part::kChunkEnd:
      // A chunk that goes on where its size says that it ends is told at once.
      if (!std::string_view("\r\n").starts_with(Rest().substr(0, 2))) {
        Fail(400, "a chunk is longer than it says");
        return false;
      }
      if (!TakeLine(line)) return false;
      part_ = Part::kChunkSize;
      return true;
    case Part::kTrailers:
      return TakeLine(line) && ReadTrailer(line);
  }
  return false;
}

bool HttpRequestReader::ReadChunkSize(std::string_view line) {
  // Extensions, behind a semicolon, are refused: nobody here knows one, and they make a small body a long request.
  const auto bytes = WholeNumber(line, 16);
  if (!bytes) {
    Fail(400, "a chunk does not say how long it is");
    return false;
  }
  if (*bytes > body_bytes_max_ - request_.body.size()) {
    Fail(413, fmt::format("a body has at most {} bytes here", body_bytes_max_));
    return false;
  }
  left_ = *bytes;
  part_ = left_ == 0 ? Part::kTrailers : Part::kChunkData;
  return true;
}

bool HttpRequestReader::ReadTrailer(std::string_view line) {
  trailer_bytes_ += line.size() + 2;
  const std::size_t colon = std::min(line.find(':'), line.size());
  if (line.empty()) {
    state_ = State::kComplete;
  } else if (trailer_bytes_ > limits_.head_bytes_max) {
    Fail(431, fmt::format("the request's trailers are longer than {} bytes", limits_.head_bytes_max));
  } else if (colon == line.size() || !IsToken(line.substr(0, colon)) ||
             !std::all_of(line.begin(), line.end(), IsFieldByte)) {
    Fail(400, "a trailer is not NAME: VALUE on one line");
  }
  return state_ == State::kBody;
}

bool HttpRequestReader::TakeLine(std::string_view& line) {
  const std::size_t line_bytes_max = part_ == Part::kTrailers ? limits_.head_bytes_max : kChunkLineBytesMax;
  const std::size_t end = Rest().find("\r\n");
  // A return may be the first half of the line's end.
  const std::size_t length = end != std::string_view::npos ? end : Rest().size() - (Rest().ends_with('\r') ? 1 : 0);
  if (length > line_bytes_max) {
    Fail(part_ == Part::kTrailers ? 431 : 400, "a line between or behind the chunks is too long");
    return false;
  }
  if (end == std::string_view::npos) return false;
  line = Rest().substr(0, end);
  Drop(end + 2);
  return true;
}

}  // namespace tokensync
