#include "net/server/tls_contexts.h"

#include <sys/stat.h>

#include "net/pem.h"

namespace hive::net::server {
namespace {

std::string stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "-;";
  return std::to_string(status.st_ino) + "." + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec) + "." + std::to_string(status.st_size) + ";";
}

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> TlsContexts::get() {
  const std::string stamp =
      stamp_of(files_.certificate_file) + stamp_of(files_.key_file) +
      (files_.client_ca_file.empty() ? std::string() : stamp_of(files_.client_ca_file));
  if (context_ && stamp == stamp_) return context_;
  HIVE_ASSIGN(context_, build());
  stamp_ = stamp;
  return context_;
}

Result<std::shared_ptr<asio::ssl::context>> TlsContexts::build() const {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code failure;
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                           asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                           asio::ssl::context::no_tlsv1_1,
                       failure);
  const auto problem = [&failure](const std::string& path) {
    return fail(Errc::kFailedPrecondition, "TLS file " + path + ": " + failure.message());
  };
  context->use_certificate_chain_file(files_.certificate_file, failure);
  if (failure) return problem(files_.certificate_file);
  HIVE_ASSIGN(const std::string key, read_private_key(files_.key_file));
  context->use_private_key(asio::buffer(key), asio::ssl::context::pem, failure);
  if (failure) return problem(files_.key_file);
  if (!files_.client_ca_file.empty()) {
    context->load_verify_file(files_.client_ca_file, failure);
    if (failure) return problem(files_.client_ca_file);
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                             failure);
    if (failure) return problem(files_.client_ca_file);
  }
  return context;
}

}  // namespace hive::net::server
