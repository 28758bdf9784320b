namespace MdFunctions.Local;

/// <summary>Something that the person at the keyboard has to mend. The message says what and how; there is no stack worth showing.</summary>
public sealed class LocalException(string message, Exception? inner = null) : Exception(message, inner);
