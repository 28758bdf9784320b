using System.Buffers;
using System.Text.Json;

namespace MdFunctions.Engine.Health;

/// <summary>Writes the answer field by field: platforms ask for it first of all at a cold start, and a serializer, also a generated one, would be compiled then.</summary>
internal static class HealthJson
{
    /// <summary>The answer's bytes.</summary>
    public static ReadOnlyMemory<byte> Write(Health health)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("status", health.Status);
            if (health.MotherDuck is { } deep)
            {
                json.WriteStartObject("motherDuck");
                json.WriteNumber("roundTripMilliseconds", deep.RoundTripMilliseconds);
                json.WriteEndObject();
            }
            else
            {
                json.WriteNull("motherDuck");
            }
            WritePool(json, "read", health.Read);
            WritePool(json, "write", health.Write);
            json.WriteEndObject();
        }
        return bytes.WrittenMemory;
    }

    private static void WritePool(Utf8JsonWriter json, string name, PoolHealth pool)
    {
        json.WriteStartObject(name);
        json.WriteStartObject("connections");
        json.WriteNumber("inUse", pool.Connections.InUse);
        json.WriteNumber("idle", pool.Connections.Idle);
        json.WriteNumber("waiting", pool.Connections.Waiting);
        json.WriteNumber("maximum", pool.Connections.Maximum);
        json.WriteEndObject();
        if (pool.TokenAgeSeconds is { } age)
            json.WriteNumber("tokenAgeSeconds", age);
        else
            json.WriteNull("tokenAgeSeconds");
        if (pool.TokenExpires is { } expires)
            json.WriteString("tokenExpires", expires);
        else
            json.WriteNull("tokenExpires");
        json.WriteBoolean("tokenReadFails", pool.TokenReadFails);
        json.WriteEndObject();
    }
}
