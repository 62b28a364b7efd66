/// The certificate that the server shows.
///
/// This header is for the files of this folder only: it shows Poco.
#pragma once

#include <Poco/Net/Context.h>

#include <filesystem>

namespace tokensync {

/// A TLS 1.2+ server context with the chain and the key of two PEM files. It never asks anybody for a passphrase.
/// Throws ConfigError where they cannot be read or do not belong together.
Poco::Net::Context::Ptr LoadHttpCertificate(const std::filesystem::path& certificate_file,
                                            const std::filesystem::path& key_file);

}  // namespace tokensync
