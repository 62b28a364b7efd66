/// What the script beside it needs of ours: signatures, and an endpoint that takes deliveries.
///
///   webhook_probe sign FORGE SECRET_FILE           prints the signature of standard input as FORGE's header has it
///   webhook_probe serve SECRET_FILE OLD_SECRET_FILE PORT_FILE
///       serves on a port of 127.0.0.1 until standard input ends, then prints a line for each push that was taken
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "webhook_endpoint.h"
#include "webhook_samples.h"

namespace tokensync {
namespace {

std::string StandardInput() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

int PrintSignature(const std::string& forge, const std::string& secret_file) {
  WebhookDelivery delivery{"POST", "/webhook/" + forge, {}, StandardInput()};
  Sign(delivery, ReadWebhookSecret(secret_file, "SECRET_FILE"));
  std::cout << delivery.headers.back().second << "\n";
  return 0;
}

int Serve(const std::string& secret_file, const std::string& old_secret_file, const std::string& port_file) {
  WebhookOptions options;
  options.target.repository = "acme/tokens";
  options.requests_per_minute = 0;
  WebhookEndpoint endpoint(options, [&] {
    return WebhookSecrets{ReadWebhookSecret(secret_file, "SECRET_FILE"),
                          ReadWebhookSecret(old_secret_file, "OLD_SECRET_FILE")};
  });
  HttpServerOptions server_options;
  server_options.listen = "127.0.0.1:0";
  HttpServer server(server_options, endpoint);
  const std::string address = server.Address();
  std::ofstream(port_file + ".new") << address.substr(address.rfind(':') + 1);
  std::filesystem::rename(port_file + ".new", port_file);
  StandardInput();
  server.Stop();
  for (const TakenPush& push : endpoint.pushes()) {
    std::cout << push.reference << " " << (push.commit ? push.commit->hex : "-") << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace tokensync

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  try {
    if (arguments.size() == 3 && arguments[0] == "sign") return tokensync::PrintSignature(arguments[1], arguments[2]);
    if (arguments.size() == 4 && arguments[0] == "serve") {
      return tokensync::Serve(arguments[1], arguments[2], arguments[3]);
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  std::cerr << "usage: webhook_probe sign FORGE SECRET_FILE | serve SECRET_FILE OLD_SECRET_FILE PORT_FILE\n";
  return 64;
}
