/// standin-metadata: the stand-in service as a program, for scripts and end-to-end tests.
#include <Poco/Exception.h>
#include <Poco/Util/HelpFormatter.h>
#include <Poco/Util/Option.h>
#include <Poco/Util/OptionProcessor.h>
#include <Poco/Util/OptionSet.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "held_text.h"
#include "standin_server.h"

namespace {

using Clock = std::chrono::steady_clock;
using tokensync::standin::LoadTokens;
using tokensync::standin::SaveTokens;
using tokensync::standin::StandinOptions;
using tokensync::standin::StandinServer;

constexpr int kExitUsage = 64;
constexpr int kExitFailed = 75;

struct Arguments {
  StandinOptions options;
  std::string port_file;
  std::string faults;  ///< JSON, or empty
  std::string state_file;
  std::optional<std::chrono::seconds> idle_exit;
  std::chrono::seconds lifetime{3600};
  bool stay = false;
  bool help = false;
};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Poco::Util::OptionSet KnownOptions() {
  using Poco::Util::Option;
  Poco::Util::OptionSet set;
  const auto add = [&](const std::string& name, const std::string& text, const std::string& argument) {
    Option option(name, "", text, false);
    if (!argument.empty()) option.argument(argument);
    option.repeatable(name == "project");
    set.addOption(option);
  };
  add("port", "port on 127.0.0.1; 0 (default): the kernel picks one", "PORT");
  add("port-file", "write the port there once the service listens", "FILE");
  add("token-file", "the bearer token that is expected; without it, any", "FILE");
  add("tls-cert", "certificate chain in PEM; with --tls-key: HTTPS", "FILE");
  add("tls-key", "private key in PEM", "FILE");
  add("project", "a projectId that exists, may be repeated; without it, any", "ID");
  add("faults", "faults as POST /standin/faults takes them: a file, or the JSON itself", "FILE|JSON");
  add("state", "hold the tokens of that file, if it is there, and write it at the end", "FILE");
  add("idle-exit", "end after so long without a request", "SECONDS");
  add("lifetime", "end after so long in any case (default 3600)", "SECONDS");
  add("stay", "go on when the process that started this one has ended", "");
  add("help", "show this text", "");
  return set;
}

std::uint64_t Number(const std::string& name, const std::string& text, std::uint64_t number_max) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end || number > number_max)
    throw UsageError("reading --" + name + ": '" + text + "' is no number up to " + std::to_string(number_max));
  return number;
}

std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw UsageError("reading " + path + ": it cannot be read");
  return text.str();
}

std::string FirstWord(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  words >> word;
  return word;
}

Arguments ReadArguments(int argc, char** argv) {
  constexpr std::uint64_t kSecondsMax = 1'000'000'000;
  Arguments arguments;
  const Poco::Util::OptionSet known = KnownOptions();
  Poco::Util::OptionProcessor processor(known);
  processor.setUnixStyle(true);
  for (int i = 1; i < argc; ++i) {
    std::string name;
    std::string value;
    if (!processor.process(argv[i], name, value)) {
      if (name.empty()) throw UsageError(std::string("reading the arguments: '") + argv[i] + "' is no option");
    }
    if (name.empty()) continue;
    if (name == "port") {
      arguments.options.port = static_cast<std::uint16_t>(Number(name, value, 65535));
    } else if (name == "port-file") {
      arguments.port_file = value;
    } else if (name == "token-file") {
      arguments.options.bearer = FirstWord(FileText(value));
      if (arguments.options.bearer.empty()) throw UsageError("reading " + value + ": there is no token in it");
    } else if (name == "tls-cert") {
      arguments.options.tls_certificate_file = value;
    } else if (name == "tls-key") {
      arguments.options.tls_key_file = value;
    } else if (name == "project") {
      arguments.options.projects.push_back(Number(name, value, std::uint64_t{1} << 53));
    } else if (name == "faults") {
      arguments.faults = value.starts_with('{') ? value : FileText(value);
    } else if (name == "state") {
      arguments.state_file = value;
    } else if (name == "idle-exit") {
      arguments.idle_exit = std::chrono::seconds(Number(name, value, kSecondsMax));
    } else if (name == "lifetime") {
      arguments.lifetime = std::chrono::seconds(Number(name, value, kSecondsMax));
    } else if (name == "stay") {
      arguments.stay = true;
    } else if (name == "help") {
      arguments.help = true;
    }
  }
  processor.checkRequired();
  if (arguments.options.tls_certificate_file.empty() != arguments.options.tls_key_file.empty())
    throw UsageError("reading the arguments: --tls-cert and --tls-key go together");
  return arguments;
}

void ShowHelp() {
  const Poco::Util::OptionSet known = KnownOptions();
  Poco::Util::HelpFormatter formatter(known);
  formatter.setUnixStyle(true);
  formatter.setAutoIndent();
  formatter.setWidth(100);
  formatter.setCommand("standin-metadata");
  formatter.setUsage("[OPTION...]");
  formatter.setHeader(
      "A stand-in for the Sequence Metadata service: tokens in memory, faults on demand (see /standin/).");
  formatter.setFooter("SIGTERM and SIGINT end it with status 0.");
  formatter.format(std::cout);
}

/// Under a temporary name first: who sees the file sees the whole number.
void WritePortFile(const std::string& path, std::uint16_t port) {
  const std::string temporary = path + ".new";
  {
    std::ofstream file(temporary);
    file << port << "\n";
    if (!file.flush()) throw std::runtime_error("writing " + path + ": it cannot be written");
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    throw std::runtime_error("writing " + path + ": it cannot be put in its place");
}

std::uint64_t AllCalls(const StandinServer& server) {
  std::uint64_t all = 0;
  for (const auto& [method, count] : server.counts().calls) all += count;
  return all;
}

/// Returns why it is time to end.
std::string AwaitEnd(const Arguments& arguments, const StandinServer& server, const sigset_t& signals, pid_t parent) {
  const auto start = Clock::now();
  auto last_call = start;
  std::uint64_t calls = 0;
  while (true) {
    const timespec slice{.tv_sec = 0, .tv_nsec = 200'000'000};
    if (sigtimedwait(&signals, nullptr, &slice) > 0) return "a signal came";
    if (!arguments.stay && getppid() != parent) return "the process that started this one has ended";
    const auto now = Clock::now();
    if (now - start > arguments.lifetime) return "its lifetime is over";
    if (const std::uint64_t all = AllCalls(server); all != calls) {
      calls = all;
      last_call = now;
    }
    if (arguments.idle_exit && now - last_call > *arguments.idle_exit) return "nobody called for a while";
  }
}

int Run(const Arguments& arguments, pid_t parent) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);

  StandinServer server(arguments.options);
  // Tokens first: faults may change what is kept of them.
  if (!arguments.state_file.empty()) LoadTokens(server, arguments.state_file);
  if (!arguments.faults.empty()) server.SetFaults(arguments.faults);
  if (!arguments.port_file.empty()) WritePortFile(arguments.port_file, server.port());
  std::cout << "listening on " << server.url() << std::endl;
  const std::string why = AwaitEnd(arguments, server, signals, parent);
  if (!arguments.state_file.empty()) SaveTokens(server, arguments.state_file);
  std::cerr << "ending: " << why << ", " << server.counts().tokens << " tokens held" << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const pid_t parent = getppid();
  try {
    const Arguments arguments = ReadArguments(argc, argv);
    if (arguments.help) {
      ShowHelp();
      return 0;
    }
    return Run(arguments, parent);
  } catch (const Poco::Exception& error) {
    std::cerr << "standin-metadata: reading the arguments: " << error.displayText() << "; see --help" << std::endl;
    return kExitUsage;
  } catch (const UsageError& error) {
    std::cerr << "standin-metadata: " << error.what() << "; see --help" << std::endl;
    return kExitUsage;
  } catch (const std::exception& error) {
    std::cerr << "standin-metadata: " << error.what() << std::endl;
    return kExitFailed;
  }
}
