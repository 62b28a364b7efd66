#include "held_text.h"

#include <cstdint>
#include <fstream>
#include <stdexcept>

namespace tokensync::standin {
namespace {

const Json* Member(const JsonMembers& members, std::string_view name) {
  const auto found = members.find(name);
  return found == members.end() ? nullptr : &found->second;
}

std::uint64_t Number(const JsonMembers& members, std::string_view name) {
  const Json* value = Member(members, name);
  const auto* given = value == nullptr ? nullptr : value->As<JsonNumber>();
  if (given == nullptr || !given->whole)
    throw std::runtime_error("storing tokens: " + std::string(name) + " is no JSON integer");
  return *given->whole;
}

}  // namespace

std::string HeldText(const HeldToken& held) {
  return "{\"projectId\":" + std::to_string(held.name.project) +
         ",\"collectionId\":" + std::to_string(held.name.collection) +
         ",\"private\":" + (held.is_private ? "true" : "false") + ",\"token\":" + held.token_json + "}";
}

void PutHeld(StandinServer& server, const Json& held) {
  const auto* members = held.As<JsonMembers>();
  if (members == nullptr) throw std::runtime_error("storing tokens: an item is not an object");
  const Json* token = Member(*members, "token");
  if (token == nullptr) throw std::runtime_error("storing tokens: an item has no token");
  const Json* is_private = Member(*members, "private");
  std::string text;
  AppendJson(text, *token);
  server.Put(Number(*members, "projectId"), Number(*members, "collectionId"), text,
             is_private != nullptr && is_private->As<bool>() != nullptr && *is_private->As<bool>());
}

void SaveTokens(const StandinServer& server, const std::filesystem::path& file) {
  const std::filesystem::path fresh = file.string() + ".new";
  std::ofstream out(fresh, std::ios::binary);
  for (const HeldToken& held : server.Tokens()) out << HeldText(held) << "\n";
  out.close();
  if (!out) throw std::runtime_error("writing " + fresh.string() + ": it cannot be written");
  std::filesystem::rename(fresh, file);
}

void LoadTokens(StandinServer& server, const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  std::ifstream in(file, std::ios::binary);
  for (std::string line; std::getline(in, line);) PutHeld(server, ParseJsonText(line));
  if (!in.eof()) throw std::runtime_error("reading " + file.string() + ": it cannot be read");
}

}  // namespace tokensync::standin
