return MdFunctions.App.Run(args);
