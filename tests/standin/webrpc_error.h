/// The errors of the service's protocol: their names, codes, texts and HTTP statuses, and the body that carries one.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace tokensync::standin {

struct ErrorKind {
  std::string_view name;
  int code;
  std::string_view msg;
  int status;
};

/// The published ones, then those of the vendor's newest schema and middleware that have a name of their own.
std::span<const ErrorKind> ErrorKinds();

/// The kind of that name, or null.
const ErrorKind* FindError(std::string_view name);

/// {"error":…,"code":…,"msg":…,"cause":…,"status":…}; no cause where it is empty.
std::string ErrorBody(const ErrorKind& kind, std::string_view cause);

/// A call is refused with one of the known errors.
class CallRefused : public std::exception {
 public:
  /// `name` must be known.
  CallRefused(std::string_view name, std::string cause);
  const char* what() const noexcept override { return cause_.c_str(); }
  const ErrorKind& kind() const { return *kind_; }
  const std::string& cause() const { return cause_; }

 private:
  const ErrorKind* kind_;
  std::string cause_;
};

}  // namespace tokensync::standin
