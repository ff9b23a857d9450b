// One connection: requests read, handled and answered, or an event stream. Internal to HttpServer.
// Each kind of stream is compiled in a file of its own (session_plain.cc, session_tls.cc): Beast's
// templates make a few lines here into minutes of compiling.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <memory>

#include "net/server/shared.h"

namespace hive::net::server {

// TCP and unix sockets alike.
using PlainStream =
    boost::beast::basic_stream<asio::generic::stream_protocol, asio::io_context::executor_type>;
using TlsStream = boost::beast::ssl_stream<PlainStream>;

// Serves the connection until it ends; it keeps itself alive. On the io thread.
void serve_plain(Shared& shared, PlainStream::socket_type socket, Peer peer);
void serve_tls(Shared& shared, PlainStream::socket_type socket, Peer peer,
               const std::shared_ptr<asio::ssl::context>& context);

}  // namespace hive::net::server
