import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Base64;

/** Draws an image as most programs in Java do, and prints it in base64. The client asks for HTTP/2 unless it is told not to. */
public class Draw {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.ofString(arguments[1]);
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0] + "/v1/images"))
                .header("Content-Type", "application/json").POST(body).build();
        for (int i = 0; i < 3; i++) {
            HttpResponse<byte[]> answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            System.out.println(answer.statusCode() + " " + Base64.getEncoder().encodeToString(answer.body()));
        }
    }
}
