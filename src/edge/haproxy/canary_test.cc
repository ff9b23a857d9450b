#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/haproxy/config.h"

namespace hive::edge::haproxy {
namespace {

using testing::HasSubstr;
using testing::Not;

model::RoutingTable table(std::uint32_t canary_percent) {
  model::RoutingTable out;
  model::Listener listener;
  listener.port = 8080;
  out.listeners.push_back(listener);
  model::Backend backend;
  backend.name = "web";
  backend.canary_percent = canary_percent;
  backend.sticky_cookie = "SID";
  out.backends.push_back(backend);
  out.routes.push_back({8080, "", "", "web"});
  return out;
}

TEST(Canary, ACanaryGetsItsShareAtEveryEdgeWhileItCanServe) {
  const std::string text = render_config(table(15), {}, {});
  EXPECT_THAT(text, HasSubstr("use_backend b.web.canary if { rand(100) lt 15 } "
                              "{ nbsrv(b.web.canary) gt 0 }\n"));
  EXPECT_THAT(text, HasSubstr("\nbackend b.web.canary\n"));
  // Who has a task's cookie comes first, then the share, then the rest.
  EXPECT_LT(text.find("req.cook(SID)"), text.find("rand(100)"));
  EXPECT_LT(text.find("rand(100)"), text.find("use_backend b.web.local"));
}

TEST(Canary, WhatItCannotTakeGoesToTheOthers) {
  ConfigOptions options;
  options.regulars_socket = "/run/hive/edge/regulars";
  const std::string text = render_config(table(15), options, {});
  const std::string canary = text.substr(text.find("\nbackend b.web.canary\n"));
  EXPECT_THAT(canary, HasSubstr(" observe layer4 error-limit 1 on-error mark-down\n"));
  EXPECT_THAT(canary, HasSubstr("  cookie SID insert indirect nocache httponly dynamic preserve\n"))
      << "the cookie of the task that answered is kept";
  const auto at = canary.find("  server regulars unix@/run/hive/edge/regulars.");
  ASSERT_NE(at, std::string::npos);
  EXPECT_THAT(canary.substr(at, canary.find('\n', at) - at), HasSubstr(" maxconn 0 "))
      << "a task's bound is none of the way to all";
  const std::string socket = canary.substr(at + 18, canary.find(' ', at + 18) - at - 18);
  EXPECT_THAT(text, HasSubstr("\nfrontend hive.regulars.web\n  mode http\n  bind " + socket +
                              " mode 600 accept-proxy\n  default_backend b.web.all\n"));
}

TEST(Canary, WithoutACanaryNothingIsSaidOfOne) {
  EXPECT_THAT(render_config(table(0), {}, {}),
              AllOf(Not(HasSubstr("canary")), Not(HasSubstr("observe layer4"))));
}

}  // namespace
}  // namespace hive::edge::haproxy
