using Microsoft.Extensions.Hosting;

MdFunctions.App.CreateBuilder(args).Build().Run();
