using System.Security.Cryptography;
using System.Text;
using MdFunctions.Engine.Ingest;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Tests.Ingest;

public sealed class SignatureTests
{
    // The example of "Validating webhook deliveries" in GitHub's documentation.
    private const string GitHubSecret = "It's a Secret to Everybody";
    private const string GitHubBody = "Hello, World!";
    private const string GitHubHex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    // The example that the reference libraries of Standard Webhooks are tested with.
    private const string StandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string StandardId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const long StandardTimestamp = 1614265330;
    private const string StandardBody = """{"test": 2432232314}""";
    // What the server of Svix, whose scheme the specification took over, is tested with, under the same id, time and body.
    private const string PublicKey = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    private const string KeySignature = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
    private const string StandardSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    [Fact]
    public void The_example_of_GitHubs_documentation_is_valid() => Assert.True(GitHub($"sha256={GitHubHex}"));

    [Fact]
    public void The_example_of_the_Standard_Webhooks_libraries_is_valid() => Assert.True(Standard());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sha256=")]
    [InlineData(GitHubHex)]
    [InlineData("sha1=" + GitHubHex)]
    [InlineData("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1")] // Cut.
    [InlineData("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1700")]
    [InlineData("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18")] // The last bit.
    [InlineData("sha256=x57107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")]
    public void GitHubs_scheme_refuses_what_is_missing_cut_or_wrong(string? header) => Assert.False(GitHub(header));

    [Fact]
    public void GitHubs_scheme_refuses_another_body_another_secret_and_two_headers()
    {
        Assert.False(GitHub($"sha256={GitHubHex}", body: GitHubBody + " "));
        Assert.False(GitHub($"sha256={GitHubHex}", secrets: ["another"]));
        Assert.False(Check(GitHubScheme, new() { ["X-Hub-Signature-256"] = new([$"sha256={GitHubHex}", $"sha256={GitHubHex}"]) }, GitHubBody, [GitHubSecret], default));
    }

    [Fact]
    public void Two_secrets_are_valid_at_once()
    {
        Assert.True(GitHub($"sha256={GitHubHex}", secrets: ["new", GitHubSecret]));
        Assert.True(GitHub($"sha256={GitHubHex}", secrets: [GitHubSecret, "old"]));
        Assert.True(Standard(secrets: ["whsec_" + Convert.ToBase64String("new"u8), StandardSecret]));
        Assert.True(Standard(secrets: [StandardSecret, "whsec_not base64"])); // A previous one that is malformed spoils nothing.
        Assert.True(Header("old", ["new", "old"]));
        Assert.False(Header("older", ["new", "old"]));
    }

    [Theory]
    [InlineData(300, true)]
    [InlineData(-300, true)]
    [InlineData(301, false)]
    [InlineData(-301, false)]
    public void A_Standard_Webhook_is_taken_within_five_minutes_of_its_timestamp(int seconds, bool valid) => Assert.Equal(valid, Standard(late: seconds));

    [Theory]
    [InlineData("webhook-id", null)]
    [InlineData("webhook-id", "msg_another")]
    [InlineData("webhook-timestamp", null)]
    [InlineData("webhook-timestamp", "1614265331")] // Another time than was signed.
    [InlineData("webhook-timestamp", "-1614265330")]
    [InlineData("webhook-timestamp", "1614265330.0")]
    [InlineData("webhook-timestamp", "99999999999999999999")]
    [InlineData("webhook-timestamp", "9223372036854775807")]
    [InlineData("webhook-signature", null)]
    [InlineData("webhook-signature", "v1,")]
    [InlineData("webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("webhook-signature", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O")] // Cut.
    [InlineData("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=g0hM9SsE")]
    public void Standard_Webhooks_refuse_what_is_missing_cut_or_wrong(string header, string? value) => Assert.False(Standard(header, value));

    [Fact]
    public void One_of_several_Standard_Webhooks_signatures_is_enough()
    {
        Assert.True(Standard("webhook-signature", $"v1,AAAA v1a,xyz {StandardSignature}"));
        Assert.False(Standard(body: StandardBody + "\n"));
        Assert.False(Standard(secrets: ["whsec_" + Convert.ToBase64String("another"u8)]));
    }

    [Fact]
    public void A_Standard_Webhook_signed_with_a_private_key_is_checked_with_the_public_one()
    {
        Assert.True(ByKey(KeySignature, PublicKey));
        Assert.True(ByKey($"v1a,AAAA {StandardSignature} {KeySignature}", PublicKey));
        // From one kind to the other without losing a delivery.
        foreach (var secrets in (string[][])[[PublicKey, StandardSecret], [StandardSecret, PublicKey]])
        {
            Assert.True(ByKey(KeySignature, secrets));
            Assert.True(ByKey(StandardSignature, secrets));
        }
        Assert.True(ByKey(KeySignature, PublicKey, "whpk_none"));
    }

    [Fact]
    public void A_public_key_lets_in_only_what_its_private_key_signed()
    {
        Assert.False(Standard("webhook-signature", KeySignature, StandardBody + " ", [PublicKey]));
        Assert.False(Standard("webhook-id", "msg_another", secrets: [PublicKey]));
        Assert.False(ByKey(KeySignature, "whpk_" + Convert.ToBase64String(new byte[32])));
        Assert.False(ByKey(StandardSignature, PublicKey));
        Assert.False(ByKey(KeySignature, StandardSecret));
        var mutated = Convert.FromBase64String(KeySignature["v1a,".Length..]);
        for (var bit = 0; bit < mutated.Length * 8; bit++)
        {
            mutated[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(ByKey($"v1a,{Convert.ToBase64String(mutated)}", PublicKey));
            mutated[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        // Everybody may know a public key: it is no secret that an HMAC could be made with, under any of the ways to write it.
        foreach (var key in (byte[][])[Convert.FromBase64String(PublicKey["whpk_".Length..]), Encoding.UTF8.GetBytes(PublicKey)])
        {
            var hmac = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{StandardId}.{StandardTimestamp}.{StandardBody}"));
            Assert.False(ByKey($"v1,{Convert.ToBase64String(hmac)} v1a,{Convert.ToBase64String([.. hmac, .. hmac])}", PublicKey));
        }
        foreach (var none in (string[])["whpk_", "whpk_not base64", "whpk_AAAA"])
            Assert.Throws<SecretException>(() => ByKey(KeySignature, none));
    }

    [Fact]
    public void A_Standard_Webhooks_secret_that_is_not_base64_is_a_fault_of_the_setting() =>
        Assert.DoesNotContain("hunter", Assert.Throws<SecretException>(() => Standard(secrets: ["whsec_hunter 2"])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_secret_in_a_header_is_compared_whole()
    {
        Assert.True(Header("secret", ["secret"]));
        foreach (var wrong in new[] { null, "", "secre", "secrets", "Secret" })
            Assert.False(Header(wrong, ["secret"]));
    }

    private static bool GitHub(string? header, string body = GitHubBody, string[]? secrets = null) =>
        Check(GitHubScheme, header is null ? [] : new() { ["X-Hub-Signature-256"] = header }, body, secrets ?? [GitHubSecret], default);

    private static bool Standard(string? header = null, string? value = null, string body = StandardBody, string[]? secrets = null, int late = 0)
    {
        var headers = new HeaderDictionary
        {
            ["webhook-id"] = StandardId,
            ["webhook-timestamp"] = $"{StandardTimestamp}",
            ["webhook-signature"] = StandardSignature,
        };
        if (header is not null)
            headers[header] = value;
        return Check(StandardScheme, headers, body, secrets ?? [StandardSecret], DateTimeOffset.FromUnixTimeSeconds(StandardTimestamp + late));
    }

    private static bool ByKey(string signature, params string[] secrets) => Standard("webhook-signature", signature, secrets: secrets);

    private static bool Header(string? value, string[] secrets) =>
        Check(new SharedSecret("header", "S", new("header", "X-Key")), value is null ? [] : new() { ["X-Key"] = value }, "{}", secrets, default);

    private static HmacSignature GitHubScheme => Preset("github");

    private static HmacSignature StandardScheme => Preset("standard-webhooks");

    private static HmacSignature Preset(string name) => new(name, "S", SignaturePresets.All[name], HmacKeys.Tolerance, null);

    private static bool Check(Signature signature, HeaderDictionary headers, string body, string[] secrets, DateTimeOffset now) =>
        SignedRequest.Refusal(signature, headers, body, secrets, now) is null;
}
