// From what came over the wire to a ServerRequest, and to its answer. Internal to HttpServer.
#pragma once

#include <openssl/x509.h>

#include <boost/beast/http/fields.hpp>
#include <string>
#include <string_view>

#include "net/http_server.h"

namespace hive::net::server {

std::string lower(std::string_view text);

// Sets path and query from a request's target.
void split_target(std::string_view target, ServerRequest& request);

// Sets ou and cn from a client's certificate.
void read_names(X509* certificate, Peer& peer);

// A response's head, ready to be sent.
std::string wire_form(unsigned version, unsigned status, std::string_view reason,
                      const boost::beast::http::fields& fields);

// What the handler throws becomes a 500.
ServerResponse call(const Handler& handler, const ServerRequest& request);

}  // namespace hive::net::server
