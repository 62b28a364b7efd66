/// Held tokens as text: for scripts, and for a file that outlives the service.
#pragma once

#include <filesystem>
#include <string>

#include "standin_json.h"
#include "standin_server.h"

namespace tokensync::standin {

/// {"projectId","collectionId","private","token"}, without a line break.
std::string HeldText(const HeldToken& held);

/// Stores such an object as StandinServer::Put does. Throws std::runtime_error.
void PutHeld(StandinServer& server, const Json& held);

/// Writes all tokens, one a line; the file is replaced as a whole. Throws std::runtime_error.
void SaveTokens(const StandinServer& server, const std::filesystem::path& file);

/// Stores what SaveTokens has written; nothing where there is no such file. Throws std::runtime_error.
void LoadTokens(StandinServer& server, const std::filesystem::path& file);

}  // namespace tokensync::standin
