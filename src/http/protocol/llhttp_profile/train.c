/* SPDX-License-Identifier: Apache-2.0 */
/* What llhttp is trained with when weft is built (cmake/WeftLlhttp.cmake): requests as clients send them,
   each in one piece. The compiler then lays out the states that they pass through one behind the other. */
#include <llhttp.h>
#include <stdio.h>
#include <string.h>

static const char* const kRequests[] = {
    /* wrk, ab, a health check */
    "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: 10.0.0.7\r\nConnection: Keep-Alive\r\n\r\n",
    /* curl */
    "GET /hello?name=weft HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
    "HEAD /files/a.txt HTTP/1.1\r\nHost: example.org\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
    /* a library of some language */
    "GET /api/v1/users/42 HTTP/1.1\r\nHost: api.example.org\r\nUser-Agent: python-requests/2.28.1\r\n"
    "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nAuthorization: Bearer "
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\r\n\r\n",
    "DELETE /api/v1/users/42 HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 0\r\n\r\n",
    /* a browser */
    "GET /index.html HTTP/1.1\r\nHost: www.example.org\r\nConnection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 "
    "Safari/537.36\r\nAccept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.9\r\nCookie: session=5f2b8a; theme=dark\r\n\r\n",
    /* with a body, which llhttp sees only if it is chunked */
    "POST /api/v1/users HTTP/1.1\r\nHost: api.example.org\r\nContent-Type: application/json\r\n"
    "Content-Length: 27\r\n\r\n",
    "PUT /upload HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    "5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
};

/* What there is most of is trained with most. */
static const int kRepeats[] = {50, 10, 20, 2, 10, 2, 10, 5, 2};

#define EVENT(NAME, ANSWER)                                                            \
  int llhttp__on_##NAME(llhttp_t* llhttp, const char* at, const char* end);            \
  int llhttp__on_##NAME(llhttp_t* llhttp, const char* at, const char* end) {           \
    (void)llhttp, (void)at, (void)end;                                                 \
    return ANSWER;                                                                     \
  }

EVENT(message_begin, 0)
EVENT(method, 0)
EVENT(method_complete, 0)
EVENT(url, 0)
EVENT(url_complete, 0)
EVENT(version, 0)
EVENT(version_complete, 0)
EVENT(header_field, 0)
EVENT(header_field_complete, 0)
EVENT(header_value, 0)
EVENT(header_value_complete, 0)
EVENT(headers_complete, HPE_PAUSED)
EVENT(chunk_header, 0)
EVENT(chunk_extension_name, 0)
EVENT(chunk_extension_name_complete, 0)
EVENT(chunk_extension_value, 0)
EVENT(chunk_extension_value_complete, 0)
EVENT(body, HPE_PAUSED)
EVENT(chunk_complete, 0)
EVENT(message_complete, HPE_PAUSED)
EVENT(reset, 0)
EVENT(status, 0)
EVENT(status_complete, 0)

/* Up to the pause behind the last byte; false if it is refused. */
static int parse(const char* text) {
  const char* const end = text + strlen(text);
  llhttp_t llhttp;
  llhttp__internal_init(&llhttp);
  llhttp.type = HTTP_REQUEST;
  do {
    llhttp.error = HPE_OK;
    if (llhttp__internal_execute(&llhttp, text, end) != HPE_PAUSED) return 0;
    text = llhttp.error_pos;
  } while (text != end);
  return 1;
}

int main(void) {
  for (size_t i = 0; i < sizeof kRequests / sizeof *kRequests; ++i) {
    for (int repeat = 0; repeat < kRepeats[i]; ++repeat) {
      if (!parse(kRequests[i])) {
        fprintf(stderr, "llhttp refuses this request: %s\n", kRequests[i]);
        return 1;
      }
    }
  }
  return 0;
}
