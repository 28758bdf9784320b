namespace MdFunctions.Local;

/// <summary>Keeps the person at the keyboard posted while something takes long.</summary>
internal static class Progress
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(4);

    /// <summary>Waits for work, and says what it is whenever nothing was said for some seconds.</summary>
    /// <param name="work">What is waited for.</param>
    /// <param name="what">What it does: <c>Starting the functions</c>.</param>
    /// <param name="say">Gets the lines.</param>
    public static async Task<T> WhileAsync<T>(this Task<T> work, string what, Action<string> say)
    {
        for (var waited = Silence; await Task.WhenAny(work, Task.Delay(Silence)) != work; waited += Silence)
            say($"{what}... ({waited.TotalSeconds:0} s)");
        return await work;
    }
}
