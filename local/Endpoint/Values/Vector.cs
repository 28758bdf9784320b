using System.Runtime.CompilerServices;
using DuckDB.NET.Native;

namespace MdFunctions.Endpoint.Values;

/// <summary>A column of a chunk, as DuckDB has it in memory. Loaded anew for each chunk; valid while the chunk lives.</summary>
internal sealed unsafe class Vector
{
    private readonly Vector[] _children;
    private byte* _data;
    private ulong* _validity;

    public Vector(ColumnType type)
    {
        Type = type;
        _children = type.Id == DuckType.Map ? [MapEntries(type)] : Array.ConvertAll(type.Children, child => new Vector(child));
    }

    private Vector(ColumnType type, Vector[] children) => (Type, _children) = (type, children);

    public ColumnType Type { get; }

    /// <summary>The elements of a list, the entries of a map (a struct of key and value), the fields of a struct, the members of a union.</summary>
    public ReadOnlySpan<Vector> Children => _children;

    public void Load(nint vector)
    {
        _validity = NativeMethods.Vectors.DuckDBVectorGetValidity(vector);
        _data = (byte*)NativeMethods.Vectors.DuckDBVectorGetData(vector);
        switch (Type.Id)
        {
            case DuckType.List or DuckType.Map:
                _children[0].Load(NativeMethods.Vectors.DuckDBListVectorGetChild(vector));
                break;
            case DuckType.Array:
                _children[0].Load(NativeMethods.Vectors.DuckDBArrayVectorGetChild(vector));
                break;
            case DuckType.Struct:
                for (var i = 0; i < _children.Length; i++)
                    _children[i].Load(NativeMethods.Vectors.DuckDBStructVectorGetChild(vector, i));
                break;
            case DuckType.Union:
                // A union is a struct whose first field says which of the others counts.
                _data = (byte*)NativeMethods.Vectors.DuckDBVectorGetData(NativeMethods.Vectors.DuckDBStructVectorGetChild(vector, 0));
                for (var i = 0; i < _children.Length; i++)
                    _children[i].Load(NativeMethods.Vectors.DuckDBStructVectorGetChild(vector, i + 1));
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsValid(int row) => _validity == null || (_validity[row >> 6] >> (row & 63) & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Read<T>(int row)
        where T : unmanaged => ((T*)_data)[row];

    /// <summary>The bytes of a string or blob: up to 12 stand in the vector itself, longer ones behind a pointer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Bytes(int row)
    {
        var entry = _data + (nint)row * 16;
        var length = *(int*)entry;
        return new ReadOnlySpan<byte>(length <= 12 ? entry + 4 : *(byte**)(entry + 8), length);
    }

    /// <summary>Where a list's elements, or a map's entries, are in its child.</summary>
    public (int First, int Count) Entry(int row)
    {
        if (Type.Id == DuckType.Array)
            return (row * Type.Length, Type.Length);
        var entry = (ulong*)_data + (nint)row * 2;
        return ((int)entry[0], (int)entry[1]);
    }

    private static Vector MapEntries(ColumnType map)
        => new(ColumnType.MapEntry(map), Array.ConvertAll(map.Children, child => new Vector(child)));
}
