using MdFunctions.Endpoint.Policy;
using MdFunctions.Endpoint.Sql;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>
/// The simple query protocol. As in PostgreSQL, several statements in one message are one transaction, as far as DuckDB lets them: those
/// that cannot run within one end it, and the next begins another.
/// </summary>
internal sealed class SimpleQuery(Session session, ExtendedQuery extended)
{
    public void Run(ref Fields fields)
    {
        var sql = fields.CString();
        fields.End();
        extended.DropUnnamed();
        try
        {
            var statements = SqlText.Split(sql);
            if (statements.Count == 0)
                Messages.EmptyQueryResponse(session.Output);
            foreach (var statement in statements)
                session.Guard(() => RunOne(statement, statements.Count > 1));
            session.Transaction.CommitImplicit();
        }
        catch (EndpointException error) when (!error.IsFatal)
        {
            Fail(error);
        }
        catch (Exception error) when (error is not EndpointException)
        {
            Fail(session.Unexpected(error));
        }
    }

    private void Fail(EndpointException error)
    {
        session.Transaction.RollBackImplicit();
        session.Report(error);
    }

    private void RunOne(SqlStatement statement, bool isOneOfSeveral)
    {
        var found = StatementPolicy.Examine(statement, session.Behaviour);
        if (isOneOfSeveral && TakeImplicit(found))
        {
            Messages.CommandComplete(session.Output, found.Tag);
            return;
        }
        using var prepared = PreparedStatement.Open(session, found, null);
        using var portal = new Portal(session, prepared, [], []);
        portal.Run(0, describe: true);
        if (prepared.IsDiscard)
            extended.Dispose();
    }

    /// <summary>Begins the implicit transaction, or ends it before what cannot run within one; tells whether that was all there is to do.</summary>
    private bool TakeImplicit(Examination found)
    {
        var transaction = session.Transaction;
        session.Settle(null);
        if (found.Verb is "begin" or "start" && transaction.IsImplicit)
        {
            // What the client had run before belongs to its transaction now.
            transaction.Adopt();
            if (session.HasPostgresTags)
                return true;
            Messages.RowDescription(session.Output, PreparedStatement.Success, [], session.Behaviour);
            return true;
        }
        if (IsOnItsOwn(found))
            transaction.CommitImplicit();
        else if (transaction.Status == TransactionStatus.Idle && !IsTransactionCommand(found))
            transaction.BeginImplicit();
        return false;
    }

    private static bool IsTransactionCommand(Examination found) => found.Verb is "begin" or "start" or "commit" or "end" or "rollback" or "abort";

    // Statements about whole databases, and those with a transaction of their own.
    private static bool IsOnItsOwn(Examination found)
        => found.Database is not null
            || found.Verb is "checkpoint" or "force" or "vacuum"
            || (found.Verb == "copy" && found.Tokens is [_, { Value: "from" }, ..]);
}
