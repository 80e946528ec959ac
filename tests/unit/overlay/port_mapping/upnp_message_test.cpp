#include "overlay/port_mapping/upnp_message.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay::upnp {
namespace {

constexpr std::string_view kWanIp = "urn:schemas-upnp-org:service:WANIPConnection:1";
constexpr std::string_view kWanPpp = "urn:schemas-upnp-org:service:WANPPPConnection:1";

std::string service(std::string_view type, std::string_view url) {
  return "<service>\n <serviceType>" + std::string(type) +
         "</serviceType>\n<serviceId>x</serviceId>"
         "<controlURL> " +
         std::string(url) + " </controlURL></service>";
}

TEST(UpnpSearch, FindsWhereAGatewayKeepsItsDescription) {
  const http::Target target = parse_search_answer(
      "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\n"
      "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
      "Location: http://172.20.2.1:5000/rootDesc.xml\r\n\r\n");
  EXPECT_EQ(target.port, 5000);
  EXPECT_EQ(target.path, "/rootDesc.xml");
}

TEST(UpnpSearch, TakesNoOtherDeviceAndNoNonsense) {
  for (const std::string_view text :
       {"HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:MediaServer:1\r\n"
        "Location: http://172.20.2.1:5000/x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
        "Location: /rootDesc.xml\r\n\r\n",
        "NOTIFY * HTTP/1.1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
        "Location: http://172.20.2.1:5000/x\r\n\r\n",
        "", "\n"}) {
    EXPECT_EQ(parse_search_answer(text).path, "") << text;
  }
}

TEST(UpnpDescription, ListsWhatMapsPortsTheBestFirst) {
  const auto services =
      parse_description("<?xml version=\"1.0\"?><root><device><serviceList>" +
                        service("urn:schemas-upnp-org:service:Layer3Forwarding:1", "/l3") +
                        service(kWanPpp, "http://1.2.3.4:99/ppp?a=1&amp;b=2") +
                        service(kWanIp, "ctl/IPConn") + "</serviceList></device></root>");
  ASSERT_EQ(services.size(), 2u);
  EXPECT_EQ(services[0].type, kWanIp);
  EXPECT_EQ(services[0].control.port, 0);
  EXPECT_EQ(services[0].control.path, "/ctl/IPConn");
  EXPECT_EQ(services[1].control.port, 99);
  EXPECT_EQ(services[1].control.path, "/ppp?a=1&b=2");
}

TEST(UpnpDescription, IsBoundedAndForgivesNothing) {
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += service(kWanIp, "/ctl");
  EXPECT_EQ(parse_description(many).size(), kMostServices);
  EXPECT_TRUE(parse_description(service(kWanIp, "/a b")).empty());
  EXPECT_TRUE(parse_description(service(kWanIp, "")).empty());
  EXPECT_TRUE(parse_description("<service><serviceType>" + std::string(kWanIp)).empty());
  EXPECT_TRUE(parse_description("<<<>>></service><service/>").empty());
}

TEST(UpnpCall, IsWholeAndHasItsLength) {
  const std::string request =
      call_request({IpAddress::v4(0xac140201), 5000}, {std::string(kWanIp), {0, "/ctl"}},
                   "DeletePortMapping", {{"NewExternalPort", "4545"}, {"NewProtocol", "UDP"}});
  EXPECT_TRUE(request.starts_with("POST /ctl HTTP/1.1\r\nHost: 172.20.2.1:5000\r\n"));
  EXPECT_NE(request.find("SOAPAction: \"" + std::string(kWanIp) + "#DeletePortMapping\"\r\n"),
            std::string::npos);
  const std::size_t body = request.find("\r\n\r\n") + 4;
  EXPECT_EQ(http::field(request.substr(0, body), "content-length"),
            std::to_string(request.size() - body));
  EXPECT_EQ(element(request, "NewExternalPort"), "4545");
  EXPECT_EQ(element(request, "DeletePortMapping"),
            "<NewExternalPort>4545</NewExternalPort><NewProtocol>UDP</NewProtocol>");
}

TEST(UpnpResult, IsWhatTheDeviceNames) {
  const std::string fault =
      "<s:Envelope><s:Body><s:Fault><detail><UPnPError xmlns=\"x\"><errorCode> 725 </errorCode>"
      "</UPnPError></detail></s:Fault></s:Body></s:Envelope>";
  EXPECT_EQ(result_of({.status = 500, .body = fault}), 725);
  EXPECT_EQ(result_of({.status = 200, .body = ""}), 0);
  EXPECT_EQ(result_of({.status = 500, .body = "<errorCode>0</errorCode>"}), -1);
  EXPECT_EQ(result_of({.status = 500, .body = "<errorCode>99999999999</errorCode>"}), -1);
  EXPECT_EQ(result_of({.status = 404, .body = "not found"}), -1);
}

}  // namespace
}  // namespace ipop::overlay::upnp
