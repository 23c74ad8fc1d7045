import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** Renews a session, with retries: SERVICE=… KEY=… java RenewSession.java. Needs only a JDK, 17 or newer. */
public final class RenewSession {
    private static final int ATTEMPTS = 4;
    private static final long LONGEST_WAIT_SECONDS = 60;

    private final HttpClient http = HttpClient.newHttpClient();
    private final HttpRequest request;

    public RenewSession(String service, String key) {
        request = HttpRequest.newBuilder(URI.create(service + "/session/renew"))
                .header("Authorization", "Bearer " + key)
                // Above the deadline of the service, so that its own error arrives.
                .timeout(Duration.ofSeconds(10))
                .build();
    }

    public String token() throws IOException, InterruptedException, Problem {
        for (int attempt = 1; ; attempt++) {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() == 200) return field(response.body(), "authenticity_token").orElseThrow();

            // The header says the same as retryAfter in the body.
            long wait = response.headers().firstValueAsLong("retry-after").orElse(-1);
            if (wait < 0 || wait > LONGEST_WAIT_SECONDS || attempt == ATTEMPTS) throw new Problem(response);
            // The random part keeps many clients from returning at the same moment.
            Thread.sleep(wait * 1000 + ThreadLocalRandom.current().nextInt(1000));
        }
    }

    /** What the service answered instead of a token; branch on code. */
    public static final class Problem extends Exception {
        public final String code;

        Problem(HttpResponse<String> response) {
            super(field(response.body(), "code").orElse("http-" + response.statusCode())
                    + ": " + field(response.body(), "detail").orElse("The answer did not come from the service.")
                    + " (request " + field(response.body(), "requestId").orElse("unknown") + ")");
            code = field(response.body(), "code").orElse("http-" + response.statusCode());
        }
    }

    /** The JDK has no JSON parser; with Jackson or Gson in your project, use that instead. */
    private static Optional<String> field(String json, String name) {
        var found = Pattern.compile("\"%s\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\"".formatted(name)).matcher(json);
        return found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        try {
            System.out.println(new RenewSession(System.getenv("SERVICE"), System.getenv("KEY")).token());
        } catch (Problem problem) {
            System.err.println(problem.getMessage());
            System.exit(1);
        }
    }
}
