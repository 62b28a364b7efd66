/// Whom a TLS connection to the service trusts.
///
/// This header is for the connection only: it shows Poco.
#pragma once

#include <Poco/Net/Context.h>

#include <filesystem>
#include <string>

#include "endpoint.h"

namespace tokensync {

/// A TLS 1.2+ client context that accepts nothing but a chain to the system's roots, or to those in `ca_file` (PEM)
/// where it is not empty, for exactly the endpoint's host name or address. It never asks anybody. Throws ConfigError
/// where `ca_file` cannot be used.
Poco::Net::Context::Ptr MakeTlsTrust(const Endpoint& endpoint, const std::filesystem::path& ca_file);

/// Why the last certificate that this thread was shown was refused; empty where none was since the last call.
std::string TakeCertificateFault();

}  // namespace tokensync
