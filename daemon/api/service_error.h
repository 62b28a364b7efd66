/// The error body of the service, and what an error means whatever it is called by.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tokensync {

/// The members of an error body, as far as they have the types that they should have. Foreign text, not yet cleaned.
struct ServiceError {
  std::string name;
  std::optional<int> code;
  std::string message;
  std::string cause;
  /// Whether the body is a webrpc error at all: a JSON object with a name and a code.
  bool is_webrpc() const { return !name.empty() && code.has_value(); }
};

/// A longer body is no error of the service.
inline constexpr std::size_t kErrorBytesMax = std::size_t{1024} * 1024;

/// Reads an error body. It may be anything; what cannot be understood stays empty.
ServiceError ReadServiceError(std::string_view body);

/// What an error tells about our call, apart from the HTTP status.
enum class ErrorMeaning {
  kUnlisted,         ///< no error that the service is known to have
  kInvalid,          ///< the call itself is wrong, and always will be
  kFault,            ///< nothing was done; may be a fault of the service: untyped, Fail, QueryFailed, TaskFailed …
  kNotFound,         ///< no such token or collection
  kConflict,         ///< the token exists
  kDenied,           ///< the credential does not give the right, or the project is unknown
  kNoSuchCall,       ///< bad route or method
  kQuotaExhausted,   ///< the plan's quota
  kRateLimited,      ///< too fast
  kEffectUncertain,  ///< a call within the service broke off, or its handler did
};

/// By name; by code only where the name is missing or unknown, because the service's middleware uses codes twice.
ErrorMeaning MeaningOf(const ServiceError& error);

}  // namespace tokensync
