using System.Text.Json;
using System.Text.Json.Serialization;

namespace MdFunctions.Engine.Health;

/// <summary>How the answer is written: compiled ahead, as platforms ask for it first of all at a cold start.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(Health))]
internal sealed partial class HealthJson : JsonSerializerContext;
